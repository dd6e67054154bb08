"""A submission that was not confirmed: found, surely absent and sent again, or asked of a person; never guessed."""

import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from microservices.backends.base import SiteError, SiteJob, Submission
from microservices.job_processor.logic.attempts import make_mark, sending
from microservices.job_processor.logic.processes import is_surely_gone, name_process
from microservices.job_processor.logic.reconciliation import LISTINGS_APART
from microservices.job_processor.logic.submission import submit_run
from microservices.job_processor.models import Run
from microservices.job_processor.queries import find_open_attempt
from microservices.kernel.db import utc_now
from tests.job_processor.cloudgene_stub import answer_with_a_page
from tests.job_processor.conftest import Person, World
from tests.job_processor.healthy_adapter import HealthyAdapter, put_in_place


def lose(world: World, *, keep: bool) -> None:
    """The site's next answers are lost, with the job made (`keep`) or not."""
    world.site.submission_answer = answer_with_a_page
    world.site.on_submit = (lambda _job: None) if keep else (lambda job: world.site.jobs.remove(job))


def behave(world: World) -> None:
    world.site.submission_answer, world.site.on_submit = None, lambda _job: None


def let_time_pass(world: World, run_id: UUID, **changes: Any) -> None:
    """As if the open attempt's times lay back by as much as two listings are apart."""
    with world.engine.database.transaction() as session:
        attempt = find_open_attempt(session.get_one(Run, run_id))
        assert attempt is not None
        for name in ("started_at", "ended_at", "absent_since"):
            moment = getattr(attempt, name)
            setattr(attempt, name, moment and moment - LISTINGS_APART)
        for name, value in changes.items():
            setattr(attempt, name, value)


def list_outcomes(world: World, run_id: UUID) -> list[str | None]:
    with world.engine.database.transaction() as session:
        return [attempt.outcome for attempt in session.get_one(Run, run_id).attempts]


def submit_unconfirmed(world: World, person: Person, *, keep: bool) -> tuple[str, UUID]:
    job_id, run_id = person.submit_job()
    lose(world, keep=keep)
    submit_run(world.engine, run_id)
    assert person.get_run(job_id)["status"] == "submitting"
    behave(world)
    return job_id, run_id


def test_what_two_complete_listings_do_not_show_is_sent_again(world: World, person: Person) -> None:
    job_id, run_id = submit_unconfirmed(world, person, keep=False)
    for _ in range(3):  # listings that follow one another too closely
        submit_run(world.engine, run_id)
    run = person.get_run(job_id)
    assert (run["status"], run["attempts"], world.site.jobs) == ("submitting", 1, [])
    assert run["next_try_at"] is not None
    let_time_pass(world, run_id)
    submit_run(world.engine, run_id)
    run = person.get_run(job_id)
    assert (run["status"], list_outcomes(world, run_id)) == ("waiting_for_site", ["absent"])
    submit_run(world.engine, run_id)
    run = person.get_run(job_id)
    assert (run["status"], run["attempts"], len(world.site.jobs)) == ("running", 2, 1)


def test_a_job_that_appears_between_the_listings_is_adopted(world: World, person: Person) -> None:
    job_id, run_id = submit_unconfirmed(world, person, keep=True)
    world.site.hidden = True
    submit_run(world.engine, run_id)
    let_time_pass(world, run_id)
    world.site.hidden = False
    submit_run(world.engine, run_id)
    run = person.get_run(job_id)
    assert (run["status"], run["attempts"], len(world.site.jobs)) == ("running", 1, 1)


def test_a_listing_before_the_connection_was_over_proves_nothing(world: World, person: Person) -> None:
    job_id, run_id = submit_unconfirmed(world, person, keep=False)
    let_time_pass(world, run_id, ended_at=None)  # its sender is this process, which is alive
    with sending(world.engine, make_mark(run_id, 1)):
        for _ in range(2):
            submit_run(world.engine, run_id)
            let_time_pass(world, run_id)
        assert (person.get_run(job_id)["status"], list_outcomes(world, run_id)) == ("submitting", [None])
        # Its deadline is over by the clock only: that was set, or the machine slept, and the connection lives.
        let_time_pass(world, run_id, deadline_at=utc_now() - timedelta(hours=1))
        for _ in range(2):
            submit_run(world.engine, run_id)
            let_time_pass(world, run_id)
        assert list_outcomes(world, run_id) == [None]
        let_time_pass(world, run_id, sent_by="a process of another machine 7 1")  # of which the deadline alone tells
        submit_run(world.engine, run_id)
    let_time_pass(world, run_id)
    submit_run(world.engine, run_id)
    assert list_outcomes(world, run_id) == ["absent"]


def test_an_end_that_could_not_be_written_is_known_to_the_process_that_sent(world: World, person: Person) -> None:
    _job_id, run_id = submit_unconfirmed(world, person, keep=False)
    let_time_pass(world, run_id, ended_at=None)  # as after a commit that PostgreSQL did not confirm
    submit_run(world.engine, run_id)
    let_time_pass(world, run_id)
    submit_run(world.engine, run_id)
    assert list_outcomes(world, run_id) == ["absent"]


def test_of_two_jobs_with_its_mark_the_oldest_is_kept_and_the_other_cancelled(world: World, person: Person) -> None:
    job_id, run_id = person.submit_job()
    lose(world, keep=True)

    world.site.on_submit = lambda job: world.site.jobs.append(replace(job, id="job-20261122-120000-777"))
    submit_run(world.engine, run_id)
    behave(world)
    submit_run(world.engine, run_id)
    run = person.get_run(job_id)
    assert (run["status"], run["external_job_id"]) == ("running", world.site.jobs[0].id)
    assert [job.state for job in world.site.jobs] == [1, 6]
    assert "2 jobs" in run["message"]


def test_of_two_jobs_none_is_cancelled_while_the_site_may_still_tell_which_is_the_run_s(
    world: World, person: Person
) -> None:
    job_id, run_id = person.submit_job()
    lose(world, keep=True)
    world.site.on_submit = lambda job: world.site.jobs.append(replace(job, id="job-20261122-120000-777"))
    submit_run(world.engine, run_id)
    behave(world)
    let_time_pass(world, run_id, ended_at=None)
    with sending(world.engine, make_mark(run_id, 1)):
        submit_run(world.engine, run_id)
    assert [job.state for job in world.site.jobs] == [1, 1]
    assert person.get_run(job_id)["status"] == "submitting"
    submit_run(world.engine, run_id)
    assert [job.state for job in world.site.jobs] == [1, 6]


def test_a_cancelled_run_that_surely_never_arrived_is_not_sent_again(world: World, person: Person) -> None:
    job_id, run_id = submit_unconfirmed(world, person, keep=False)
    submit_run(world.engine, run_id)
    world.client.post(f"/api/v1/jobs/{job_id}/cancel", headers=person.headers)
    let_time_pass(world, run_id)
    submit_run(world.engine, run_id)
    assert (person.get_run(job_id)["status"], world.site.jobs) == ("cancelled", [])


def test_another_account_cannot_tell_so_a_person_is_asked(world: World, person: Person) -> None:
    job_id, run_id = submit_unconfirmed(world, person, keep=True)
    world.site.username, world.site.hidden = "bob", True
    submit_run(world.engine, run_id)
    run = person.get_run(job_id)
    assert (run["status"], run["error"]["code"], len(world.site.jobs)) == ("failed", "submission_unknown", 1)
    assert world.site.jobs[0].name in run["error"]["fix"]
    world.client.post(f"/api/v1/jobs/{job_id}/retry", headers=person.headers)
    submit_run(world.engine, run_id)
    assert (person.get_run(job_id)["status"], len(world.site.jobs)) == ("running", 2)


class LosingAdapter(HealthyAdapter):
    """An adapter of a site that loses its answers; its list is what the test says."""

    listed: list[SiteJob] | SiteError = []  # noqa: RUF012
    sent: list[str] = []  # noqa: RUF012

    async def submit(self, submission: Submission) -> str:
        self.sent.append(submission.mark)
        raise SiteError("lost", code="timeout", sent="all")

    async def list_jobs(self) -> AsyncIterator[SiteJob]:
        if isinstance(self.listed, SiteError):
            raise self.listed
        for job in self.listed:
            yield job


@pytest.fixture
def losing(world: World, monkeypatch: pytest.MonkeyPatch) -> type[LosingAdapter]:
    put_in_place(LosingAdapter, world, monkeypatch)
    monkeypatch.setattr(LosingAdapter, "sent", [])
    return LosingAdapter


def try_twice(world: World, run_id: UUID) -> None:
    submit_run(world.engine, run_id)
    let_time_pass(world, run_id)
    submit_run(world.engine, run_id)


def test_a_job_that_does_not_say_whose_it_is_may_be_ours(
    world: World, person: Person, losing: type[LosingAdapter], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(losing, "listed", [SiteJob("x", "", "running", "RUNNING", is_mark_known=False)])
    job_id, run_id = person.submit_job()
    submit_run(world.engine, run_id)
    try_twice(world, run_id)
    assert (person.get_run(job_id)["status"], len(losing.sent)) == ("submitting", 1)
    slow_clock = SiteJob(
        "x", "", "running", "RUNNING", submitted_at=utc_now() - timedelta(minutes=30), is_mark_known=False
    )
    monkeypatch.setattr(losing, "listed", [slow_clock])
    try_twice(world, run_id)
    assert list_outcomes(world, run_id) == [None]
    old = SiteJob("x", "", "running", "RUNNING", submitted_at=utc_now() - timedelta(days=1), is_mark_known=False)
    monkeypatch.setattr(losing, "listed", [old])
    try_twice(world, run_id)
    assert list_outcomes(world, run_id) == ["absent"]


@pytest.mark.parametrize("cancel", [False, True])
def test_a_site_that_cannot_list_is_not_guessed_about(
    world: World, person: Person, losing: type[LosingAdapter], monkeypatch: pytest.MonkeyPatch, cancel: bool
) -> None:
    error = SiteError("It lists finished runs only.", code="listing_incomplete", permanent=True)
    monkeypatch.setattr(losing, "listed", error)
    job_id, run_id = person.submit_job()
    submit_run(world.engine, run_id)
    if cancel:
        world.client.post(f"/api/v1/jobs/{job_id}/cancel", headers=person.headers)
    submit_run(world.engine, run_id)
    run = person.get_run(job_id)
    assert (run["status"], len(losing.sent)) == ("cancelled" if cancel else "failed", 1)
    assert "cannot be found out" in run["message"]
    assert losing.sent[0] in (run["message"] if cancel else run["error"]["fix"])


def test_a_process_is_gone_only_when_that_is_certain() -> None:
    script = "from microservices.job_processor.logic.processes import name_process; print(name_process())"
    name = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.strip()
    assert is_surely_gone(name)
    assert not is_surely_gone(name_process())
    assert not is_surely_gone(f"elsewhere {name}")
    reused = " ".join([*name_process().split(" ")[:-1], "1.00"])
    assert is_surely_gone(reused)
