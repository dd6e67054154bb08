"""Templates: what a person's jobs have in common, checked like a job and filled in where a job says nothing."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import text

from microservices.kernel.db import Database
from tests.job_processor.conftest import Person, World

ROUTE = "/api/v1/job-templates"


def describe_template(person: Person, **changes: Any) -> dict[str, Any]:
    wish = {"name": "African cohorts", "build": "hg38", "phasing": "no_phasing", "population": "afr", "r2_filter": 0.3}
    return wish | {"targets": person.describe_targets()[:1]} | changes


def post_template(person: Person, headers: dict[str, str] | None = None, **changes: Any) -> httpx.Response:
    wish = describe_template(person, **changes)
    return person.world.client.post(ROUTE, json=wish, headers=person.headers | (headers or {}))


def add_template(person: Person, **changes: Any) -> str:
    answer = post_template(person, **changes)
    assert answer.status_code == 201, answer.text
    template_id: str = answer.json()["id"]
    return template_id


def post_bare_job(person: Person, template_id: str, **said: Any) -> httpx.Response:
    wish = {"input_file_ids": [str(person.add_file())], "template_id": template_id} | said
    return person.world.client.post("/api/v1/jobs", json=wish, headers=person.headers)


def test_a_job_is_filled_in_from_its_template(person: Person) -> None:
    answer = post_bare_job(person, add_template(person, priority="high", residency={"countries": ["ZA"]}))
    assert answer.status_code == 202, answer.text
    job = answer.json()
    assert job["name"] == "African cohorts"
    expected = {"build": "hg38", "population": "afr", "r2_filter": 0.3, "mode": "imputation", "priority": "high"}
    assert expected.items() <= job["parameters"].items()
    assert [run["panel_id"] for run in job["runs"]] == [person.describe_targets()[0]["panel_id"]]


def test_what_the_job_says_wins(person: Person) -> None:
    said = {"name": "mine", "population": None, "r2_filter": 0, "targets": person.describe_targets()[1:]}
    job = post_bare_job(person, add_template(person), **said).json()
    assert (job["name"], job["parameters"]["population"], job["parameters"]["r2_filter"]) == ("mine", None, 0)
    assert [run["panel_id"] for run in job["runs"]] == [said["targets"][0]["panel_id"]]


def test_what_neither_job_nor_template_says_is_asked_for(person: Person) -> None:
    answer = post_bare_job(person, add_template(person, build=None))
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "build")
    assert post_bare_job(person, add_template(person, build=None), build="hg38").status_code == 202


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"population": "martian"}, "job_refused"),
        ({"residency": {"countries": ["US"]}}, "job_refused"),
        ({"phasing": "guess"}, "invalid_input"),
        ({"name": ""}, "invalid_input"),
        ({"input_file_ids": []}, "invalid_input"),
        ({"targets": []}, "invalid_input"),
    ],
)
def test_a_template_of_which_no_job_can_succeed_is_refused(person: Person, changes: dict[str, Any], code: str) -> None:
    answer = post_template(person, **changes)
    assert (answer.status_code, answer.json()["code"]) == (400, code), answer.text


def test_a_template_is_shown_changed_and_deleted(world: World, person: Person) -> None:
    template_id = add_template(person)
    shown = world.client.get(f"{ROUTE}/{template_id}", headers=person.headers).json()
    assert (shown["population"], shown["mode"], shown["shared"], shown["is_own"]) == ("afr", None, False, True)
    wish = describe_template(person, name="renamed", population=None)
    changed = world.client.put(f"{ROUTE}/{template_id}", json=wish, headers=person.headers).json()
    assert (changed["id"], changed["name"], changed["population"]) == (template_id, "renamed", None)
    listed = world.client.get(f"{ROUTE}?q=RENAM&sort=name", headers=person.headers).json()
    assert (listed["total"], listed["items"]) == (1, [changed])
    assert world.client.delete(f"{ROUTE}/{template_id}", headers=person.headers).status_code == 204
    gone = world.client.get(f"{ROUTE}/{template_id}", headers=person.headers)
    assert (gone.status_code, gone.json()["code"]) == (404, "template_not_found")
    assert post_bare_job(person, template_id).json()["code"] == "template_not_found"


def test_a_shared_template_is_for_the_organisation_to_use_and_for_its_owner_to_change(
    world: World, person: Person
) -> None:
    own, shared = add_template(person), add_template(person, name="for all", shared=True)
    colleague, stranger = world.new_person(organization_id=person.organization_id), world.new_person()
    items = world.client.get(ROUTE, headers=colleague.headers).json()["items"]
    assert [(item["id"], item["is_own"]) for item in items] == [(shared, False)]
    assert post_bare_job(colleague, shared).status_code == 202
    assert post_bare_job(colleague, own).status_code == post_bare_job(stranger, shared).status_code == 404
    wish = describe_template(person)
    for who, status in ((colleague, 403), (stranger, 404)):
        assert world.client.put(f"{ROUTE}/{shared}", json=wish, headers=who.headers).status_code == status
        assert world.client.delete(f"{ROUTE}/{shared}", headers=who.headers).status_code == status


def test_the_same_template_twice_with_a_key_is_made_once(world: World, person: Person) -> None:
    key = {"Idempotency-Key": uuid4().hex}
    first, second = (post_template(person, headers=key) for _ in range(2))
    assert first.json() == second.json()
    assert UUID(first.json()["id"])
    assert world.client.get(ROUTE, headers=person.headers).json()["total"] == 1
    assert post_template(person, headers=key, name="other").json()["code"] == "idempotency_conflict"


def test_a_template_that_is_deleted_while_it_is_changed_is_gone(person: Person) -> None:
    template_id, database = add_template(person), person.world.engine.database
    wish = describe_template(person)
    with ThreadPoolExecutor(1) as threads:
        with database.transaction() as deleting:
            deleting.execute(text("DELETE FROM job_templates WHERE id = CAST(:id AS uuid)"), {"id": template_id})
            path = f"{ROUTE}/{template_id}"
            answer = threads.submit(person.world.client.put, path, json=wish, headers=person.headers)
            while not answer.done() and not count_waiting(database):
                threading.Event().wait(0.02)
        assert (answer.result(timeout=60).status_code, answer.result().json()["code"]) == (404, "template_not_found")


def count_waiting(database: Database) -> int:
    """Connections to this database that wait for a lock."""
    sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    with database.transaction() as session:
        return int(session.execute(text(sql)).scalar_one())
