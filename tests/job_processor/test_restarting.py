"""A job that its site gave up is begun anew there, as the same job, and only so often."""

from typing import Any
from uuid import UUID

import pytest
from fastapi import Response

from microservices.job_processor.logic.sites import Sites
from microservices.job_processor.logic.submission import submit_run
from tests.job_processor.cloudgene_stub import StubJob
from tests.job_processor.conftest import Person, World, bring_to_site, poll


@pytest.fixture
def given_up(world: World, person: Person) -> tuple[str, UUID]:
    """A run (and its job) whose job at the site is dead."""
    job_id, run_id = bring_to_site(world, person)
    kill(world.site.jobs[0])
    return job_id, run_id


def kill(job: StubJob) -> None:
    job.state, job.position = -1, -1


def read_history(person: Person, job_id: str) -> list[str]:
    items = person.world.client.get(f"/api/v1/jobs/{job_id}/events", headers=person.headers).json()["items"]
    return [item["message"] for item in items if item["run_id"]]


def get_error(person: Person, job_id: str) -> dict[str, Any]:
    run = person.get_run(job_id)
    assert run["status"] == "failed", run
    error: dict[str, Any] = run["error"]
    return error


def test_it_is_restarted_as_the_same_job_and_its_results_come(
    world: World, person: Person, given_up: tuple[str, UUID]
) -> None:
    job_id, run_id = given_up
    poll(world, run_id)
    run = person.get_run(job_id)
    assert (run["status"], run["external_job_id"]) == ("running", world.site.jobs[0].id)
    assert any("asked to begin the same job anew (1 of at most 2)" in told for told in read_history(person, job_id))
    assert (world.site.received, world.site.restarts) == (1, 1)
    world.site.finish(world.site.jobs[0])
    assert poll(world, run_id) == [run_id]


def test_after_two_restarts_the_run_fails_and_says_so(world: World, person: Person, given_up: tuple[str, UUID]) -> None:
    job_id, run_id = given_up
    for _ in range(2):
        poll(world, run_id)
        assert person.get_run(job_id)["status"] == "running"
        kill(world.site.jobs[0])
    poll(world, run_id)
    error = get_error(person, job_id)
    assert (error["code"], error["whose"], world.site.restarts) == ("site_gave_up", "site", 2)
    assert "has not finished it after 2 restarts" in error["message"]


def test_a_restart_whose_answer_was_lost_is_not_asked_for_again(
    world: World, person: Person, given_up: tuple[str, UUID]
) -> None:
    job_id, run_id = given_up
    world.site.restart_answer = lambda: Response("gateway", status_code=502)
    poll(world, run_id)
    assert "No news" in person.get_run(job_id)["message"]
    poll(world, run_id)
    assert person.get_run(job_id)["message"] == "Waiting in the site's queue."
    assert (world.site.received, world.site.restarts) == (1, 1)


def test_a_site_that_restarts_nothing_is_asked_twice_only(
    world: World, person: Person, given_up: tuple[str, UUID]
) -> None:
    job_id, run_id = given_up
    world.site.refuse_restart = True
    for _ in range(3):
        assert person.get_run(job_id)["status"] == "running"
        poll(world, run_id)
    assert (get_error(person, job_id)["code"], world.site.restarts) == ("site_gave_up", 2)


def test_a_site_that_cannot_do_it_is_not_asked(world: World, person: Person, given_up: tuple[str, UUID]) -> None:
    job_id, run_id = given_up
    names = ("lists_panels", "finds_by_mark", "cancels", "hands_out_results", "resumes_downloads", "takes_files")
    world.peers.capabilities = {**dict.fromkeys(names), "restarts": False}
    world.engine.sites = Sites(world.engine.peers)
    poll(world, run_id)
    assert (get_error(person, job_id)["code"], world.site.restarts) == ("site_gave_up", 0)


def test_a_run_that_is_being_cancelled_is_not_restarted(
    world: World, person: Person, given_up: tuple[str, UUID]
) -> None:
    job_id, run_id = given_up
    world.client.post(f"/api/v1/jobs/{job_id}/cancel", headers=person.headers).raise_for_status()
    poll(world, run_id)
    assert (person.get_run(job_id)["status"], world.site.restarts) == ("cancelled", 0)


def test_a_retry_may_be_restarted_as_often_as_the_first(
    world: World, person: Person, given_up: tuple[str, UUID]
) -> None:
    job_id, run_id = given_up
    for _ in range(3):
        poll(world, run_id)
        kill(world.site.jobs[0])
    world.client.post(f"/api/v1/jobs/{job_id}/retry", headers=person.headers).raise_for_status()
    submit_run(world.engine, run_id)
    kill(world.site.jobs[1])
    poll(world, run_id)
    assert (person.get_run(job_id)["status"], world.site.restarts) == ("running", 3)
