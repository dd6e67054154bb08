"""The list, single files, deletion, and whose they are."""

from uuid import uuid4

import pytest

from imputehub.local.children import find_free_port
from microservices.file_manager.main import build
from microservices.kernel.testing import serve_app
from tests.file_manager.world import Person, World, wait_until


def test_files_are_listed_newest_first_in_pages(person: Person) -> None:
    ids = [person.upload(filename=f"chr{number}.vcf.gz").json()["id"] for number in (1, 2, 3)]
    page = person.get("/api/v1/files?limit=2").json()
    rest = person.get(f"/api/v1/files?limit=2&cursor={page['next_cursor']}").json()
    assert [item["id"] for item in page["items"] + rest["items"]] == ids[::-1]
    assert (page["total"], rest["next_cursor"]) == (3, None)


def test_files_are_found_by_status_and_name(person: Person) -> None:
    good = person.upload_checked(filename="Cohort_A%.vcf.gz")
    bad = person.upload_checked(b"no VCF", filename="Bohort_B.vcf.gz")
    for query, expected in (
        ("status=ready", [good["id"]]),
        ("status=rejected", [bad["id"]]),
        ("status=checking", []),
        ("q=cohort", [good["id"]]),
        ("q=%25", [good["id"]]),
        ("q=_b", [bad["id"]]),
        ("sort=filename", [bad["id"], good["id"]]),
        ("sort=-size", [good["id"], bad["id"]]),
    ):
        items = person.get(f"/api/v1/files?{query}").json()["items"]
        assert [item["id"] for item in items] == expected, query


@pytest.mark.parametrize("query", ["status=lost", "q=%00", "colour=red", "sort=sha256", "limit=0", "cursor=x"])
def test_a_wrong_filter_is_refused(person: Person, query: str) -> None:
    answer = person.get(f"/api/v1/files?{query}")
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")


def test_somebody_elses_file_does_not_exist(world: World, person: Person) -> None:
    file = person.upload_checked()
    result = person.store_result(b"x").json()
    colleague = Person(world, organization_id=person.organization_id)
    namesake = Person(world, user_id=person.user_id)
    for other in (world.new_person(), colleague, namesake):
        assert other.get("/api/v1/files").json()["total"] == 0
        for method, path in (
            ("GET", file["id"]),
            ("DELETE", file["id"]),
            ("GET", f"{file['id']}/qc"),
            ("GET", f"{file['id']}/content"),
            ("HEAD", f"{file['id']}/content"),
            ("POST", f"{file['id']}/download-url"),
            ("GET", f"{result['id']}/content"),
            ("POST", f"{result['id']}/download-url"),
        ):
            answer = world.client.request(method, f"/api/v1/files/{path}", headers=other.headers)
            assert answer.status_code == 404, (method, path)
            if method != "HEAD":
                assert answer.json()["code"] == "file_not_found"
    assert world.peers.asked_with == ""


def test_services_have_no_files_and_people_no_internal_routes(world: World, person: Person) -> None:
    file = person.upload_checked()
    assert world.client.get("/api/v1/files", headers=world.authorize_service()).status_code == 403
    for path in (f"/internal/files/{file['id']}/content", "/internal/results"):
        assert person.get(path).status_code == 403
        weak = world.authority.service("job_processor", scope="files:write")
        assert world.client.get(path, headers=weak).status_code == 403


def test_what_a_job_has_to_know_of_its_inputs_is_told_of_the_owner_s_alone(world: World, person: Person) -> None:
    first, second, other = (one.upload_checked()["id"] for one in (person, person, world.new_person()))
    told = {record["file"]["id"]: record for record in person.list_inputs(second, other, first, str(uuid4()))}
    assert told.keys() == {first, second}
    for file_id, record in told.items():
        assert record["file"] == person.get(f"/api/v1/files/{file_id}").json()
        assert record["quality"] == person.get(f"/api/v1/files/{file_id}/qc").json()
    assert world.client.post("/internal/inputs", json={}, headers=person.headers).status_code == 403


def test_a_deleted_file_is_gone_with_its_bytes(world: World, person: Person) -> None:
    file = person.upload_checked()
    assert person.delete(file["id"]).status_code == 204
    for path in ("", "/qc", "/content"):
        assert person.get(f"/api/v1/files/{file['id']}{path}").status_code == 404
    assert person.delete(file["id"]).status_code == 404
    assert world.is_empty()
    assert world.peers.asked_with.startswith("Bearer ")


def test_the_input_of_an_unfinished_job_is_kept(world: World, person: Person) -> None:
    file = person.upload_checked()
    world.peers.in_use = True
    answer = person.delete(file["id"])
    assert (answer.status_code, answer.json()["code"]) == (409, "file_in_use")
    assert person.get(f"/api/v1/files/{file['id']}/content").status_code == 200


@pytest.mark.parametrize(("status", "expected"), [(503, 503), (500, 502), (404, 502), (204, 502)])
def test_nothing_is_deleted_while_nobody_can_tell(world: World, person: Person, status: int, expected: int) -> None:
    file = person.upload_checked()
    world.peers.usage_status = status
    assert person.delete(file["id"]).status_code == expected
    assert person.get(f"/api/v1/files/{file['id']}/content").status_code == 200


def test_nothing_is_deleted_while_job_processor_is_away(world: World, person: Person) -> None:
    file = person.upload_checked()
    alone = world.settings.model_copy(update={"job_processor_url": f"http://127.0.0.1:{find_free_port()}"})
    with serve_app(build(alone)) as address:
        answer = world.client.delete(f"{address}/api/v1/files/{file['id']}", headers=person.headers)
    assert (answer.status_code, answer.json()["code"]) == (503, "dependency_unavailable")
    assert person.get(f"/api/v1/files/{file['id']}/content").status_code == 200


def test_a_file_whose_bytes_cannot_be_removed_now_is_still_deleted(world: World, person: Person) -> None:
    """The bytes wait for a sweep that can."""
    file = person.upload_checked()
    [stored] = world.storage.iterdir()
    stored.unlink()
    stored.mkdir()  # unlink() refuses a directory
    assert person.delete(file["id"]).status_code == 204
    assert person.get(f"/api/v1/files/{file['id']}").status_code == 404
    assert [str(row[0]) for row in world.query("SELECT object_id FROM loose_objects")] == [stored.name]
    stored.rmdir()
    stored.write_bytes(b"still there")
    wait_until(world.is_empty)
