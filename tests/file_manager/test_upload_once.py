"""`Idempotency-Key` on uploads: the same request again gives the first answer again."""

from tests.file_manager.raw import half_request, read_answer
from tests.file_manager.world import GOOD_VCF, MIB, Person, World, make_bytes, sha256_of, wait_until

KEY = {"Idempotency-Key": "upload-1"}


def test_the_same_upload_again_is_the_first_file_again(world: World, person: Person) -> None:
    data = make_bytes(4 * MIB)
    first = person.upload(data, headers=KEY)
    again = person.upload(data, headers=KEY)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert world.count_objects() == 1
    # The body of the second was not read, and still the connection is good for what follows.
    assert person.get(f"/api/v1/files/{first.json()['id']}").status_code == 200


def test_the_same_key_for_another_upload_is_refused(world: World, person: Person) -> None:
    assert person.upload(headers=KEY).status_code == 201
    others = [
        person.upload(filename="other.vcf.gz", headers=KEY),
        person.upload(GOOD_VCF + b"x", headers=KEY),
        person.upload(headers=KEY | {"X-Content-SHA256": sha256_of(GOOD_VCF)}),
    ]
    assert [(answer.status_code, answer.json()["code"]) for answer in others] == [(409, "idempotency_conflict")] * 3
    assert world.count_objects() == 1


def test_the_key_of_another_person_is_another_key(world: World, person: Person) -> None:
    mine = person.upload(headers=KEY).json()
    theirs = world.new_person().upload(headers=KEY).json()
    assert mine["id"] != theirs["id"]


def test_an_upload_in_flight_is_not_begun_twice_and_is_free_once_it_failed(world: World, person: Person) -> None:
    path = "/api/v1/files?filename=cohort.vcf.gz"
    with half_request(world.address, path, person.headers | KEY, GOOD_VCF[:10], len(GOOD_VCF)):
        wait_until(lambda: world.query("SELECT 1 FROM loose_objects"))
        answer = person.upload(headers=KEY)
        assert (answer.status_code, answer.json()["code"]) == (409, "request_in_progress")
    wait_until(world.is_empty)
    assert person.upload(headers=KEY).status_code == 201


def test_a_refused_upload_frees_its_key(person: Person) -> None:
    wrong = KEY | {"X-Content-SHA256": sha256_of(b"other")}
    assert person.upload(headers=wrong).status_code == 400
    assert person.upload(headers=KEY).status_code == 201


def test_an_unread_body_does_not_disturb_the_next_request_on_the_connection(world: World, person: Person) -> None:
    """The second answer comes while its body is still under way; the rest of it is not taken for a request."""
    assert person.upload(b"x" * 1000, headers=KEY).status_code == 201
    path = "/api/v1/files?filename=cohort.vcf.gz"
    with half_request(world.address, path, person.headers | KEY, b"x" * 10, 1000) as connection:
        assert read_answer(connection).startswith("HTTP/1.1 201")
        connection.sendall(b"x" * 990 + b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        assert read_answer(connection).startswith("HTTP/1.1 200")
