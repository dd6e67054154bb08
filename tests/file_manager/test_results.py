"""Result files, which job_processor brings for the owner of a job."""

from uuid import uuid4

import httpx

from tests.file_manager.world import MIB, Person, World, make_bytes, sha256_of


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
