"""What becomes of the bytes that people send."""

from uuid import UUID, uuid4

import pytest

from tests.file_manager.raw import half_request, read_answer
from tests.file_manager.world import GOOD_VCF, MIB, Person, World, make_bytes, sha256_of, wait_until

UPLOAD = "/api/v1/files?filename=cohort.vcf.gz"


def test_an_upload_is_stored_whole_and_told_with_its_checksum(world: World, person: Person) -> None:
    data = make_bytes(3 * MIB + 17)
    answer = person.upload(data, "cohort chr20.vcf.gz", {"X-Content-SHA256": sha256_of(data).upper()})
    assert answer.status_code == 201
    file = answer.json()
    assert set(file) == {"id", "filename", "size", "sha256", "status", "created_at"}
    assert (file["filename"], file["size"], file["sha256"]) == ("cohort chr20.vcf.gz", len(data), sha256_of(data))
    assert file["status"] == "uploaded"
    assert file["created_at"].endswith("Z")
    [stored] = world.storage.iterdir()
    assert stored.read_bytes() == data
    assert UUID(stored.name)


def test_a_chunked_upload_needs_no_length(person: Person) -> None:
    parts = [make_bytes(100_000) for _ in range(20)]
    answer = person.upload(iter(parts))
    assert answer.status_code == 201
    assert answer.json()["sha256"] == sha256_of(b"".join(parts))


@pytest.mark.parametrize("sent", [0, 1, 2 * MIB])
@pytest.mark.parametrize("length", [3 * MIB, None])
def test_a_client_that_vanishes_leaves_nothing(world: World, person: Person, sent: int, length: int | None) -> None:
    with half_request(world.address, UPLOAD, person.headers, make_bytes(sent), length):
        assert wait_until(lambda: not world.is_empty())
    assert wait_until(world.is_empty)


def test_a_client_that_stalls_is_told_so_and_leaves_nothing(world: World, person: Person) -> None:
    with half_request(world.address, UPLOAD, person.headers, make_bytes(MIB), 2 * MIB) as connection:
        answer = read_answer(connection)
    assert answer.startswith("HTTP/1.1 400")
    assert "upload_incomplete" in answer
    wait_until(world.is_empty)


def test_a_slow_upload_is_not_swept_away(world: World, person: Person) -> None:
    data = make_bytes(MIB)
    with half_request(world.address, UPLOAD, person.headers, data[:-1], MIB) as connection:
        wait_until(lambda: world.query("SELECT 1 FROM loose_objects"))
        world.wait_swept()
        connection.sendall(data[-1:])
        assert read_answer(connection).startswith("HTTP/1.1 201")
    [stored] = world.storage.iterdir()
    assert stored.read_bytes() == data


def test_what_could_not_be_tidied_at_once_is_swept_while_the_service_runs(world: World, person: Person) -> None:
    """As after a failed upload whose clean-up found the database away: noted as this process's, which has ended it."""
    left = uuid4()
    with half_request(world.address, UPLOAD, person.headers, make_bytes(MIB), 2 * MIB):
        wait_until(lambda: world.query("SELECT 1 FROM loose_objects"))
        (world.storage / str(left)).write_bytes(b"whole")
        (world.storage / f"{left}#1").write_bytes(b"part")
        copied = "SELECT :id, organization_id, owner_id, written_by FROM loose_objects"
        world.query(f"INSERT INTO loose_objects {copied}", id=left)
        wait_until(lambda: not list(world.storage.glob(f"{left}*")))
        assert len(world.query("SELECT 1 FROM loose_objects")) >= 1
    wait_until(world.is_empty)


def test_bytes_other_than_announced_are_refused_and_leave_nothing(world: World, person: Person) -> None:
    data = make_bytes(MIB)
    answer = person.upload(data, headers={"X-Content-SHA256": sha256_of(b"other")})
    assert (answer.status_code, answer.json()["code"]) == (400, "checksum_mismatch")
    assert sha256_of(data) in answer.json()["detail"]
    assert world.is_empty()


def test_a_checksum_that_is_none_is_refused(world: World, person: Person) -> None:
    answer = person.upload(headers={"X-Content-SHA256": "abc"})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "X-Content-SHA256")
    assert world.is_empty()


def test_what_is_announced_too_large_is_refused_before_it_is_sent(world: World, person: Person) -> None:
    with half_request(world.address, UPLOAD, person.headers, b"", 6 * MIB) as connection:
        answer = read_answer(connection)
    assert answer.startswith("HTTP/1.1 413")
    assert "file_too_large" in answer
    assert "5 MiB" in answer
    assert world.is_empty()


def test_what_turns_out_too_large_is_refused_and_leaves_nothing(world: World, person: Person) -> None:
    answer = person.upload(iter([make_bytes(MIB)] * 6))
    assert (answer.status_code, answer.json()["code"]) == (413, "file_too_large")
    assert world.is_empty()


def test_the_largest_file_that_is_allowed_is_taken(person: Person) -> None:
    assert person.upload(make_bytes(5 * MIB)).status_code == 201
    assert person.upload(iter([make_bytes(MIB)] * 5)).status_code == 201
    assert person.upload(make_bytes(5 * MIB + 1)).status_code == 413


@pytest.mark.parametrize("body", [b"", iter([])])
def test_an_empty_file_is_refused(world: World, person: Person, body: object) -> None:
    answer = person.upload(body)
    assert (answer.status_code, answer.json()["code"]) == (400, "file_empty")
    assert world.is_empty()


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        ".",
        "..",
        "a\0b",
        "a\nb",
        "a\x7fb",
        "a\u2028b",
        "../x.vcf.gz",
        "a/b",
        "a\\b",
        "gz.fcv\u202eb",
        "é" * 128,
    ],
)
def test_a_name_that_no_file_can_have_is_refused(world: World, person: Person, name: str) -> None:
    answer = person.upload(filename=name)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["errors"][0]["field"] == "filename"
    assert world.is_empty()


@pytest.mark.parametrize("name", ["Kohorte Süd.vcf.gz", "コホート.vcf.gz", "a" * 255, 'with "quotes"; and; all'])
def test_a_name_of_any_script_is_kept(person: Person, name: str) -> None:
    assert person.upload(filename=name).json()["filename"] == name


@pytest.mark.parametrize("kind", ["multipart/form-data; boundary=x", "Multipart/Mixed"])
def test_a_form_is_refused_before_its_boundaries_become_part_of_the_file(
    world: World, person: Person, kind: str
) -> None:
    answer = person.upload(GOOD_VCF, headers={"Content-Type": kind})
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")
    assert "raw bytes as the body" in answer.json()["detail"]
    assert world.is_empty()
    # What curl says of raw bytes:
    assert person.upload(GOOD_VCF, headers={"Content-Type": "application/x-www-form-urlencoded"}).status_code == 201


def test_a_missing_name_and_an_unknown_parameter_are_refused(world: World, person: Person) -> None:
    for path, field in (("/api/v1/files", "filename"), (f"{UPLOAD}&folder=x", "folder")):
        answer = world.client.post(path, content=b"x", headers=person.headers)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, field)
