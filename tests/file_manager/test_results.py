"""Result files, which job_processor brings for the owner of a job."""

from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode
from uuid import uuid4

import httpx
import pytest

from tests.file_manager.raw import half_request
from tests.file_manager.world import MIB, Person, World, make_bytes, sha256_of, wait_until


def test_a_result_is_stored_listed_and_downloaded_by_its_owner(world: World, person: Person) -> None:
    data, run_id = make_bytes(2 * MIB), uuid4()
    answer = person.store_result(iter([data[:MIB], data[MIB:]]), run_id=run_id)
    assert answer.status_code == 201, answer.text
    record = answer.json()
    assert (record["run_id"], record["kind"], record["size"]) == (str(run_id), "imputed_data", len(data))
    assert record["sha256"] == sha256_of(data)
    listed = world.client.get(
        "/internal/results", params={"run_id": [str(run_id), str(uuid4())]}, headers=world.authorize_service()
    ).json()
    assert [item["id"] for item in listed] == [record["id"]]
    assert person.get(f"/api/v1/files/{record['id']}/content").content == data
    resumed = person.get(f"/api/v1/files/{record['id']}/content", {"Range": f"bytes={MIB}-"})
    assert (resumed.status_code, resumed.content) == (206, data[MIB:])
    url = httpx.URL(record["download_url"])
    assert world.client.get(f"{url.path}?{url.query.decode()}").content == data


def test_the_same_run_and_name_again_replaces_the_bytes(world: World, person: Person) -> None:
    ids = {"job_id": uuid4(), "run_id": uuid4()}
    first = person.store_result(b"half", **ids).json()
    second = person.store_result(b"the whole", **ids).json()
    assert second["id"] == first["id"]
    assert second["sha256"] == sha256_of(b"the whole")
    assert person.get(f"/api/v1/files/{first['id']}/content").content == b"the whole"
    assert world.count_objects() == 1


def test_the_first_result_of_a_new_attempt_takes_the_place_of_all_former_ones(world: World, person: Person) -> None:
    ids = {"job_id": uuid4(), "run_id": uuid4()}
    other = person.store_result(b"of another run", job_id=ids["job_id"]).json()
    for name in ("a.log", "b.log"):
        person.store_result(b"former", **ids, filename=name)
    new = person.store_result(b"new", **ids, filename="b.log", attempt=2).json()
    query = {"run_id": [str(ids["run_id"]), other["run_id"]]}
    listed = world.client.get("/internal/results", params=query, headers=world.authorize_service()).json()
    assert {item["id"] for item in listed} == {new["id"], other["id"]}
    assert person.get(f"/api/v1/files/{new['id']}/content").content == b"new"
    assert world.count_objects() == 2
    late = person.store_result(b"late", **ids, filename="a.log", attempt=1)
    assert (late.status_code, late.json()["code"]) == (409, "result_conflict")
    assert world.count_objects() == 2


def test_the_results_of_a_job_are_deleted_with_their_bytes(world: World, person: Person) -> None:
    job_id = uuid4()
    kept = person.store_result(b"of another job").json()
    gone = [person.store_result(b"x", job_id=job_id, filename=name).json() for name in ("a.log", "b.log")]
    answer = world.client.delete("/internal/results", params={"job_id": str(job_id)}, headers=world.authorize_service())
    assert answer.status_code == 204
    assert [person.get(f"/api/v1/files/{item['id']}/content").status_code for item in gone] == [404, 404]
    assert person.get(f"/api/v1/files/{kept['id']}/content").content == b"of another job"
    assert world.count_objects() == 1


def test_an_empty_result_is_a_result(person: Person) -> None:
    record = person.store_result(b"", filename="empty.log", kind="log").json()
    answer = person.get(f"/api/v1/files/{record['id']}/content")
    assert (answer.status_code, answer.content, answer.headers["content-length"]) == (200, b"", "0")


def test_the_same_result_brought_by_many_at_once_is_one(world: World, person: Person) -> None:
    ids = {"job_id": uuid4(), "run_id": uuid4()}
    bodies = [bytes([number]) * 100_000 for number in range(4)]
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda body: person.store_result(body, **ids), bodies))
    assert [answer.status_code for answer in answers] == [201] * 4
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert person.get(f"/api/v1/files/{answers[0].json()['id']}/content").content in bodies
    assert world.count_objects() == 1
    assert world.query("SELECT 1 FROM loose_objects") == []


def test_a_broken_result_leaves_the_old_one(world: World, person: Person) -> None:
    query = person.describe_result()
    stored = person.store_result(b"whole", **query).json()
    path = f"/internal/results?{urlencode(query)}"
    with half_request(world.address, path, world.authorize_service(), b"ha", 4):
        wait_until(lambda: world.query("SELECT 1 FROM loose_objects"))
    wait_until(lambda: not world.query("SELECT 1 FROM loose_objects"))
    assert person.get(f"/api/v1/files/{stored['id']}/content").content == b"whole"
    assert world.count_objects() == 1


def test_a_result_cannot_be_replaced_for_another_owner_or_job(world: World, person: Person) -> None:
    query = person.describe_result()
    stored = person.store_result(b"mine", **query).json()
    for change in ({"owner_id": uuid4()}, {"organization_id": uuid4()}, {"job_id": uuid4()}):
        answer = person.store_result(b"other", **(query | change))
        assert (answer.status_code, answer.json()["code"]) == (409, "result_conflict")
    assert person.get(f"/api/v1/files/{stored['id']}/content").content == b"mine"
    assert world.count_objects() == 1


@pytest.mark.parametrize(
    "change", [{"filename": "../x"}, {"filename": "a\0"}, {"kind": "other"}, {"run_id": "1"}, {"colour": "red"}]
)
def test_a_result_that_is_not_as_agreed_is_refused(world: World, person: Person, change: dict[str, str]) -> None:
    assert person.store_result(b"x", **change).status_code == 400
    assert world.is_empty()


def test_results_need_the_scope_to_write(world: World, person: Person) -> None:
    query = person.describe_result()
    reader = world.authority.service("job_processor", scope="files:read")
    for headers, status in ((reader, 403), (person.headers, 403), ({}, 401)):
        assert world.client.post("/internal/results", params=query, content=b"x", headers=headers).status_code == status
        delete = world.client.delete("/internal/results", params={"job_id": query["job_id"]}, headers=headers)
        assert delete.status_code == status
    assert world.is_empty()


def test_no_runs_have_no_results(world: World, person: Person) -> None:
    person.store_result(b"x")
    assert world.client.get("/internal/results", headers=world.authorize_service()).json() == []
    wrong = world.client.get("/internal/results?run_id=1", headers=world.authorize_service())
    assert wrong.status_code == 400


def test_results_are_not_among_the_uploads(person: Person) -> None:
    result = person.store_result(b"x").json()
    assert person.get("/api/v1/files").json()["total"] == 0
    assert person.get(f"/api/v1/files/{result['id']}").status_code == 404
    assert person.delete(result["id"]).status_code == 404
