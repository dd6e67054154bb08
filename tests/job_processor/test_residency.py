"""Where data may go is decided again just before they leave, by the catalogue of that moment, and written down."""

from typing import Any

import pytest

from microservices.job_processor.logic.sites import Sites
from microservices.job_processor.logic.submission import submit_run
from tests.job_processor.conftest import Person, World

ZA_ONLY = {"residency": {"countries": ["ZA"]}}


def list_decisions(person: Person, job_id: str) -> list[dict[str, Any]]:
    answer = person.world.client.get(f"/api/v1/jobs/{job_id}/residency-decisions", headers=person.headers)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


def test_each_submission_of_a_job_that_says_where_leaves_a_decision(world: World, person: Person) -> None:
    job_id, run_id = person.submit_job(**ZA_ONLY)
    assert list_decisions(person, job_id) == []
    submit_run(world.engine, run_id)
    (decision,) = list_decisions(person, job_id)
    expected = {"run_id": str(run_id), "country": "ZA", "countries_allowed": ["ZA"], "is_allowed": True}
    assert expected.items() <= decision.items()
    assert (decision["site_name"], decision["base_url"]) == ("Stub site", world.peers.site_address)
    assert world.site.received == 1


def test_a_country_is_the_same_however_its_letters_are_written(world: World, person: Person) -> None:
    world.peers.site = {"country": "za"}
    job_id, run_id = person.submit_job(**ZA_ONLY)
    submit_run(world.engine, run_id)
    assert (person.get_run(job_id)["status"], list_decisions(person, job_id)[0]["is_allowed"]) == ("running", True)


def test_a_job_that_may_go_anywhere_leaves_none(world: World, person: Person) -> None:
    job_id, run_id = person.submit_job()
    submit_run(world.engine, run_id)
    assert list_decisions(person, job_id) == []


@pytest.mark.parametrize(("country", "whose"), [("US", "input"), ("", "platform")])
def test_nothing_leaves_for_a_site_that_has_moved_since(world: World, person: Person, country: str, whose: str) -> None:
    job_id, run_id = person.submit_job(**ZA_ONLY)
    world.engine.sites.get_record(world.peers.service_id)  # remembered as it was
    world.peers.site = {"country": country}
    submit_run(world.engine, run_id)
    run = person.get_run(job_id)
    assert (run["status"], run["error"]["code"], run["error"]["whose"]) == ("failed", "residency_refused", whose)
    assert (run["attempts"], world.site.received) == (0, 0)
    (decision,) = list_decisions(person, job_id)
    assert (decision["is_allowed"], decision["country"]) == (False, country)
    assert decision["reason"] in run["error"]["message"]


def test_a_retry_is_decided_anew(world: World, person: Person) -> None:
    job_id, run_id = person.submit_job(**ZA_ONLY)
    world.peers.site = {"country": ""}
    submit_run(world.engine, run_id)
    world.peers.site = {}
    world.engine.sites = Sites(world.engine.peers)
    world.client.post(f"/api/v1/jobs/{job_id}/retry", headers=person.headers)
    submit_run(world.engine, run_id)
    assert person.get_run(job_id)["status"] == "running"
    assert [decision["is_allowed"] for decision in list_decisions(person, job_id)] == [False, True]


def test_a_site_whose_address_has_just_changed_is_not_sent_to(world: World, person: Person) -> None:
    job_id, run_id = person.submit_job(**ZA_ONLY)
    world.engine.sites.get_record(world.peers.service_id)
    world.peers.site = {"base_url": f"{world.peers.site_address}/"}
    submit_run(world.engine, run_id)
    run = person.get_run(job_id)
    assert (run["status"], world.site.received) == ("queued", 0)
    assert "has just changed" in run["message"]


def test_others_decisions_do_not_exist(world: World, person: Person) -> None:
    job_id, run_id = person.submit_job(**ZA_ONLY)
    submit_run(world.engine, run_id)
    headers = world.new_person().headers
    assert world.client.get(f"/api/v1/jobs/{job_id}/residency-decisions", headers=headers).status_code == 404


def test_what_was_decided_outlives_the_job_for_administrators_alone(world: World, person: Person) -> None:
    job_id, run_id = person.submit_job(**ZA_ONLY)
    world.peers.site = {"country": "US"}
    submit_run(world.engine, run_id)
    world.client.delete(f"/api/v1/jobs/{job_id}", headers=person.headers).raise_for_status()
    address = f"/api/v1/jobs/{job_id}/residency-decisions"
    assert world.client.get(address, headers=person.headers).status_code == 404
    (decision,) = world.client.get(address, headers=world.authority.person(["admin"])).json()["items"]
    assert (decision["is_allowed"], decision["owner_id"]) == (False, str(person.user_id))


def test_administrators_find_no_decisions_where_there_never_was_one(world: World, person: Person) -> None:
    job_id, _run_id = person.submit_job(**ZA_ONLY)
    answer = world.client.get(f"/api/v1/jobs/{job_id}/residency-decisions", headers=world.authority.person(["admin"]))
    assert answer.status_code == 404
