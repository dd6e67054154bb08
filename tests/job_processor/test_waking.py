"""A run that waits for a token, or a site, goes on as soon as it is there, and says until when it waits."""

import threading
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from microservices.job_processor.logic.polling import poll_due_runs
from microservices.job_processor.logic.submission import submit_run
from microservices.job_processor.logic.sweeping import SUBMIT, claim_due_runs
from microservices.job_processor.models import Run
from microservices.kernel.db import utc_now
from tests.job_processor.conftest import Person, World, bring_to_site, poll


def tell_change(world: World, person: Person, *, service_id: UUID | None = None, is_set: bool = True) -> httpx.Response:
    data = {
        "owner_id": str(person.user_id),
        "organization_id": str(uuid4()),
        "service_id": str(service_id or world.peers.service_id),
        "is_set": is_set,
    }
    return send_event(world, data)


def tell_health(world: World, status: str, previous: str = "unhealthy", site_id: UUID | None = None) -> httpx.Response:
    data = {
        "service_id": str(site_id or world.peers.service_id),
        "name": "Stub site",
        "health_status": status,
        "previous": previous,
        "message": "",
        "checked_at": "2026-11-22T12:00:00Z",
    }
    return send_event(world, data, "service.health_changed")


def send_event(world: World, data: dict[str, Any], kind: str = "site_credential.changed") -> httpx.Response:
    event = {
        "id": str(uuid4()),
        "source": "the test",
        "type": kind,
        "subject": "anything",
        "time": "2026-11-22T12:00:00Z",
        "dataversion": 1,
        "data": data,
    }
    headers = world.authority.service("user_service")
    return world.client.post("/internal/events", json=event, headers=headers)


def hold_for_minutes(world: World, person: Person) -> tuple[str, UUID]:
    """A run whose token the site does not take, and that was tried so often that its next try is minutes away."""
    world.peers.site = {"api_config": {"allow_private_network": True, "hold_retry_s": 200}}
    job_id, run_id = person.submit_job()
    world.site.token_valid = False
    submit_run(world.engine, run_id)
    assert person.get_run(job_id)["status"] == "waiting_for_site"
    return job_id, run_id


def wait_s(run: dict[str, Any]) -> float:
    return (datetime.fromisoformat(run["next_try_at"]) - utc_now()).total_seconds()


def test_a_held_run_says_when_it_is_tried_again(world: World, person: Person) -> None:
    job_id, run_id = hold_for_minutes(world, person)
    assert 150 < wait_s(person.get_run(job_id)) <= 200
    world.site.token_valid = True
    submit_run(world.engine, run_id)
    run = person.get_run(job_id)
    assert (run["status"], run["next_try_at"]) == ("running", None)


def test_a_run_at_a_site_without_news_says_when_it_is_asked_again(world: World, person: Person) -> None:
    job_id, run_id = bring_to_site(world, person)
    assert person.get_run(job_id)["next_try_at"] is None
    world.site.token = "another"
    poll(world, run_id)
    assert wait_s(person.get_run(job_id)) < 300


def test_a_renewed_token_makes_the_persons_held_runs_due_at_once(world: World, person: Person) -> None:
    _job, run_id = hold_for_minutes(world, person)
    stranger = world.new_person()
    _other_job, other = hold_for_minutes(world, stranger)
    assert claim_due_runs(world.engine.database, SUBMIT) == []
    for answer in (tell_change(world, person, service_id=uuid4()), tell_change(world, person, is_set=False)):
        assert answer.status_code == 204
    assert claim_due_runs(world.engine.database, SUBMIT) == []
    assert tell_change(world, person).status_code == 204
    assert claim_due_runs(world.engine.database, SUBMIT) == [run_id]
    assert other != run_id


def test_a_token_that_is_renewed_while_the_old_one_is_tried_is_not_missed(world: World, person: Person) -> None:
    world.peers.site = {"api_config": {"allow_private_network": True, "hold_retry_s": 200}}
    _job, run_id = person.submit_job()
    world.site.token_valid = False
    world.site.on_probe = lambda: tell_change(world, person)
    submit_run(world.engine, run_id)
    assert claim_due_runs(world.engine.database, SUBMIT) == [run_id]


def test_a_site_that_answers_again_makes_all_runs_there_due_at_once(world: World, person: Person) -> None:
    _job, run_id = hold_for_minutes(world, person)
    _other_job, other = hold_for_minutes(world, world.new_person())
    for status, previous, site_id in (
        ("unhealthy", "healthy", None),
        ("degraded", "healthy", None),
        ("healthy", "unhealthy", uuid4()),
    ):
        assert tell_health(world, status, previous, site_id).status_code == 204
    assert claim_due_runs(world.engine.database, SUBMIT) == []
    tell_health(world, "healthy")
    assert set(claim_due_runs(world.engine.database, SUBMIT)) == {run_id, other}


def test_a_site_that_answers_again_is_asked_at_once_about_what_it_has(world: World, person: Person) -> None:
    job_id, run_id = bring_to_site(world, person)
    token, world.site.token = world.site.token, "another"
    for _ in range(8):
        poll(world, run_id)
    assert wait_s(person.get_run(job_id)) > 5
    world.site.token = token
    tell_health(world, "degraded")
    poll_due_runs(world.engine, lambda _run_id: None).result(timeout=60)
    assert person.get_run(job_id)["message"] == "Waiting in the site's queue."


def test_what_has_ended_is_not_woken(world: World, person: Person) -> None:
    job_id, run_id = hold_for_minutes(world, person)
    world.client.post(f"/api/v1/jobs/{job_id}/cancel", headers=person.headers)
    tell_change(world, person)
    with world.engine.database.transaction() as session:
        assert session.get_one(Run, run_id).woken_at is None
    assert person.get_run(job_id)["next_try_at"] is None


@pytest.mark.parametrize("data", [{}, {"owner_id": "x"}])
def test_a_change_that_is_not_as_agreed_is_refused(world: World, data: dict[str, Any]) -> None:
    assert send_event(world, data).status_code == 400


def test_the_end_of_a_run_that_was_sent_is_told_to_file_manager(world: World, person: Person) -> None:
    job_id, run_id = bring_to_site(world, person)
    world.client.post(f"/api/v1/jobs/{job_id}/cancel", headers=person.headers)
    poll(world, run_id)

    def ends() -> list[dict[str, Any]]:
        return [event for event in world.peers.events if event["type"] == "run.ended"]

    deadline = utc_now() + timedelta(seconds=60)
    while not ends():
        assert utc_now() < deadline
        threading.Event().wait(0.02)
    assert ends()[0]["data"] == {"run_id": str(run_id), "attempt": 1}
