"""Who has lost a run to another worker writes and sends nothing; who has it keeps it for as long as it works."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy.exc
from sqlalchemy import Connection

from microservices.job_processor.logic import attempts, leases
from microservices.job_processor.logic.collection import collect_results
from microservices.job_processor.logic.leases import LeaseLostError
from microservices.job_processor.logic.submission import submit_run
from microservices.job_processor.models import Run
from microservices.kernel.db import utc_now
from tests.job_processor.cloudgene_stub import Gate, StubJob
from tests.job_processor.conftest import Person, World, bring_to_end
from tests.waiting import wait_until


def change(world: World, run_id: UUID, **changes: Any) -> None:
    with world.engine.database.transaction() as session:
        run = session.get_one(Run, run_id, with_for_update=True)
        for name, value in changes.items():
            setattr(run, name, value)


def take_over(world: World, run_id: UUID) -> None:
    """As another worker does once the lease has run out."""
    with world.engine.database.transaction() as session:
        session.get_one(Run, run_id, with_for_update=True).lease_epoch += 1


def test_who_has_lost_the_run_while_asking_its_site_sends_nothing(world: World, person: Person) -> None:
    job_id, run_id = person.submit_job()
    world.site.on_probe = lambda: take_over(world, run_id)
    with pytest.raises(LeaseLostError):
        submit_run(world.engine, run_id)
    run = person.get_run(job_id)
    assert (run["status"], run["attempts"], world.site.jobs) == ("queued", 0, [])


def test_who_has_lost_the_run_while_fetching_its_results_fetches_no_more(world: World, person: Person) -> None:
    job_id, run_id, _job = bring_to_end(world, person)
    world.site.on_download = lambda _name: take_over(world, run_id)
    with pytest.raises(LeaseLostError):
        collect_results(world.engine, run_id)
    assert (person.get_run(job_id)["status"], sum(world.site.downloads.values())) == ("collecting", 1)


def test_a_lease_is_renewed_for_as_long_as_its_holder_works(
    world: World, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "_RENEW_EVERY_S", 0.02)
    _job_id, run_id = person.submit_job()
    gate = Gate()
    world.site.on_probe = gate.pass_through

    def is_renewed() -> bool:
        with world.engine.database.transaction() as session:
            until = session.get_one(Run, run_id).lease_until
        return until is not None and until > utc_now()

    with ThreadPoolExecutor(1) as worker:
        at_work = worker.submit(submit_run, world.engine, run_id)
        gate.await_visitor()
        change(world, run_id, lease_until=utc_now() - timedelta(seconds=1))
        wait_until(is_renewed, "the lease is renewed")
        gate.opened.set()
        at_work.result(timeout=60)


def test_no_submission_outlasts_its_deadline(world: World, person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempts, "_LONGEST_TALK", timedelta(seconds=0.3))
    job_id, run_id = person.submit_job()
    gate = Gate()
    world.site.on_submit = gate.pass_through
    try:
        submit_run(world.engine, run_id)
    finally:
        gate.opened.set()
    run = person.get_run(job_id)
    assert (run["status"], run["attempts"]) == ("submitting", 1)
    assert "longer than any submission may" in run["message"]


def test_results_that_nobody_wants_any_more_are_not_begun_to_be_fetched(world: World, person: Person) -> None:
    """Their worker was killed, so that only the wish could be noted."""
    job_id, run_id, _job = bring_to_end(world, person)
    change(world, run_id, lease_until=utc_now() - timedelta(seconds=1))
    world.client.post(f"/api/v1/jobs/{job_id}/cancel", headers=person.headers)
    assert person.get_run(job_id)["status"] == "collecting"
    collect_results(world.engine, run_id)
    assert (person.get_run(job_id)["status"], world.site.downloads) == ("cancelled", {})


def test_an_answer_is_kept_while_all_connections_are_taken(
    world: World, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = world.engine.database.engine
    monkeypatch.setattr(pool.pool, "_timeout", 0.1)
    job_id, run_id = person.submit_job()
    taken: list[Connection] = []

    def take_all(_job: StubJob) -> None:
        with suppress(sqlalchemy.exc.TimeoutError):
            while True:
                taken.append(pool.connect())
        threading.Timer(0.4, lambda: [connection.close() for connection in taken]).start()

    world.site.on_submit = take_all
    submit_run(world.engine, run_id)
    assert len(taken) >= world.engine.database.pool_size
    run = person.get_run(job_id)
    assert (run["status"], run["external_job_id"]) == ("running", world.site.jobs[0].id)
