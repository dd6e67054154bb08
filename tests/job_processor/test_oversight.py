"""Everybody's jobs as staff see and steer them, through Django's own token."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.job_processor.conftest import Person, World, bring_to_site

STAFF = {"staff": "curator@example.org"}


@pytest.fixture
def ask(world: World) -> Any:
    headers = world.authority.service("django", "jobs:staff")

    def ask(method: str, path: str = "", **content: Any) -> httpx.Response:
        return world.client.request(method, f"/internal/jobs{path}", headers=headers, **content)

    return ask


def list_names(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [job["name"] for job in answer.json()["items"]]


def test_staff_see_the_jobs_of_all_with_their_owners_and_inputs(world: World, ask: Any) -> None:
    people = [world.new_person(), world.new_person()]
    for number, person in enumerate(people):
        person.submit_job(name=f"cohort {number}")
    page = ask("GET").json()
    assert page["total"] == 2
    assert {job["owner_id"] for job in page["items"]} == {str(person.user_id) for person in people}
    assert page["items"][0]["inputs"][0]["filename"].endswith(".vcf.gz")
    assert page["items"][0]["runs"][0]["status"] == "queued"


def test_jobs_are_narrowed_down_and_paged(world: World, person: Person, ask: Any) -> None:
    ids = [person.submit_job(name=f"cohort {number}")[0] for number in range(3)]
    assert list_names(ask("GET", params={"q": "COHORT 1"})) == ["cohort 1"]
    assert list_names(ask("GET", params={"q": ids[2]})) == ["cohort 2"]
    assert len(list_names(ask("GET", params={"q": str(person.user_id)}))) == 3
    assert list_names(ask("GET", params={"status": "failed"})) == []
    assert list_names(ask("GET", params={"service_id": str(uuid4())})) == []
    assert len(list_names(ask("GET", params={"service_id": str(world.peers.service_id)}))) == 3
    assert list_names(ask("GET", params={"created_after": "2999-01-01"})) == []
    assert list_names(ask("GET", params={"created_before": "2000-01-01T00:00:00Z"})) == []
    first = ask("GET", params={"limit": 2})
    rest = ask("GET", params={"limit": 2, "cursor": first.json()["next_cursor"]})
    assert list_names(first) + list_names(rest) == ["cohort 2", "cohort 1", "cohort 0"]


def test_a_cancel_reaches_the_job_and_its_history_names_who_did_it(world: World, person: Person, ask: Any) -> None:
    job_id, _ = person.submit_job()
    answer = ask("POST", f"/{job_id}/cancel", json=STAFF)
    assert answer.status_code == 202
    assert answer.json()["status"] == "cancelled"
    assert person.get_job(job_id)["status"] == "cancelled"
    messages = [update["message"] for update in ask("GET", f"/{job_id}/events").json()["items"]]
    assert messages[0] == "Cancelled by curator@example.org (staff)."
    seen = world.client.get(f"/api/v1/jobs/{job_id}/events", headers=person.headers).json()["items"]
    assert seen[-1]["message"] == messages[0]
    again = ask("POST", f"/{job_id}/cancel", json=STAFF)
    assert (again.status_code, again.json()["code"]) == (409, "job_state")


def test_a_run_at_a_site_is_cancelled_at_the_site(world: World, person: Person, ask: Any) -> None:
    job_id, _ = bring_to_site(world, person)
    assert ask("POST", f"/{job_id}/cancel", json=STAFF).json()["status"] == "running"
    assert person.get_run(job_id)["message"] == "Asking the site to cancel."


def test_failed_runs_are_sent_again(world: World, person: Person, ask: Any) -> None:
    job_id, _ = person.submit_job()
    refused = ask("POST", f"/{job_id}/retry", json=STAFF)
    assert (refused.status_code, refused.json()["code"]) == (409, "job_state")
    with world.engine.database.transaction() as session:
        session.connection().exec_driver_sql("UPDATE job_runs SET status = 'failed'")
        session.connection().exec_driver_sql("UPDATE imputation_jobs SET status = 'failed'")
    assert ask("POST", f"/{job_id}/retry", json=STAFF).json()["status"] == "queued"
    messages = [update["message"] for update in ask("GET", f"/{job_id}/events").json()["items"]]
    assert "Failed runs were sent again by curator@example.org (staff)." in messages


@pytest.mark.parametrize("path", ["", "/{id}", "/{id}/events"])
def test_neither_people_nor_other_services_see_the_jobs_of_all(world: World, person: Person, path: str) -> None:
    path = f"/internal/jobs{path.format(id=person.submit_job()[0])}"
    for headers in (person.headers, world.authority.person(["admin"]), world.authority.service("file_manager")):
        assert world.client.get(path, headers=headers).status_code == 403
    assert world.client.get(path).status_code == 401


def test_what_does_not_exist_or_is_not_understood_is_said(person: Person, ask: Any) -> None:
    assert ask("GET", f"/{uuid4()}").json()["code"] == "job_not_found"
    job_id, _ = person.submit_job()
    for body in ({}, {"staff": ""}, {"staff": "a\nb"}, {"staff": "a@example.org", "as": "admin"}):
        assert ask("POST", f"/{job_id}/cancel", json=body).status_code == 400
    assert ask("GET", params={"colour": "red"}).status_code == 400
    assert person.get_job(job_id)["status"] == "queued"
