"""One run, one job at the site: whatever breaks between us, and in whatever order things happen."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg2
import pytest
from fastapi import Response
from fastapi.responses import JSONResponse
from psycopg2 import sql
from sqlalchemy import text, update

from imputehub.local.postgresql import PostgresqlServer
from microservices.backends.base import Submission
from microservices.contracts.registry import SiteRecord
from microservices.job_processor.logic.cancellation import request_cancel
from microservices.job_processor.logic.holding import describe_error, fail_run
from microservices.job_processor.logic.leases import take_lease
from microservices.job_processor.logic.polling import poll_due_runs
from microservices.job_processor.logic.sites import Account, Sites
from microservices.job_processor.logic.submission import submit_run
from microservices.job_processor.models import Attempt, Job, Run
from microservices.job_processor.queries import lock_run
from microservices.kernel.db import utc_now
from tests.job_processor.cloudgene_stub import Gate, StubJob, answer_with_a_page
from tests.job_processor.conftest import Person, World, bring_to_site, make_due, poll
from tests.job_processor.healthy_adapter import HealthyAdapter, put_in_place


def list_outcomes(world: World, run_id: UUID) -> list[str | None]:
    with world.engine.database.transaction() as session:
        return [attempt.outcome for attempt in session.get_one(Run, run_id).attempts]


@contextlib.contextmanager
def submitting(world: World, run_id: UUID) -> Iterator[Gate]:
    """A worker whose submission the site has taken, but not answered before the block's end."""
    gate = Gate()
    world.site.on_submit = gate.pass_through
    with ThreadPoolExecutor(1) as pool:
        worker = pool.submit(submit_run, world.engine, run_id)
        try:
            gate.await_visitor()
            yield gate
        finally:
            gate.opened.set()
        worker.result(timeout=60)


def let_lease_expire(world: World, run_id: UUID) -> None:
    """As if the worker could not reach PostgreSQL for a minute."""
    with world.engine.database.transaction() as session:
        past = utc_now() - timedelta(seconds=1)
        session.execute(update(Run).where(Run.id == run_id).values(lease_until=past))


def answer_without_end() -> Response:
    return Response(b"x" * (33 << 20))


def answer_in_contradiction() -> Response:
    return JSONResponse({"success": True, "message": "added, or was it?"}, status_code=403)


@pytest.mark.parametrize("answer", [answer_with_a_page, answer_without_end, answer_in_contradiction])
def test_an_answer_that_leaves_open_whether_the_job_exists_is_never_followed_by_a_second_submission(
    world: World, person: Person, answer: Callable[[], Response]
) -> None:
    job_id, run_id = person.submit_job()
    world.site.submission_answer, world.site.hidden = answer, True
    for _ in range(2):
        submit_run(world.engine, run_id)
    assert (person.get_run(job_id)["status"], len(world.site.jobs)) == ("submitting", 1)
    world.site.hidden = False
    submit_run(world.engine, run_id)
    run = person.get_run(job_id)
    assert (run["status"], run["external_job_id"], len(world.site.jobs)) == ("running", world.site.jobs[0].id, 1)


class BrokenAdapter(HealthyAdapter):
    """An adapter with a bug: it dies after it may have sent everything."""

    submissions: list[str] = []  # noqa: RUF012

    async def submit(self, submission: Submission) -> str:
        self.submissions.append(submission.mark)
        raise KeyError("surprise")

    async def list_jobs(self) -> Any:
        for nothing in ():
            yield nothing


def test_a_fault_of_an_adapter_leaves_the_submission_open_and_says_so(
    world: World, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_in_place(BrokenAdapter, world, monkeypatch)
    job_id, run_id = person.submit_job()
    for _ in range(3):
        submit_run(world.engine, run_id)
    assert len(BrokenAdapter.submissions) == 1
    run = person.get_run(job_id)
    assert (run["status"], run["attempts"]) == ("submitting", 1)
    assert "not known whether the site has this job" in run["message"]


def test_an_input_that_breaks_off_closes_the_attempt_and_is_sent_again(world: World, person: Person) -> None:
    job_id, run_id = person.submit_job(input_file_ids=[str(person.add_file(size=3 << 20))])
    world.peers.cut_inputs = 1
    submit_run(world.engine, run_id)
    run = person.get_run(job_id)
    assert (run["status"], list_outcomes(world, run_id)) == ("waiting_for_site", ["not_sent"])
    assert "cohort.vcf.gz" in run["message"]
    submit_run(world.engine, run_id)
    assert (person.get_run(job_id)["status"], len(world.site.jobs)) == ("running", 1)
    assert len(world.site.jobs[0].files["cohort.vcf.gz"]) == 3 << 20


def test_an_answer_counts_also_when_the_lease_was_lost_while_waiting_for_it(world: World, person: Person) -> None:
    job_id, run_id = person.submit_job()
    world.site.hidden = True
    with submitting(world, run_id):
        let_lease_expire(world, run_id)
        submit_run(world.engine, run_id)  # the other worker finds no job in the site's list, and sends nothing
        assert person.get_run(job_id)["status"] == "submitting"
    assert (person.get_run(job_id)["status"], len(world.site.jobs)) == ("running", 1)


def test_a_cut_upload_is_closed_also_when_the_lease_was_lost_meanwhile(world: World, person: Person) -> None:
    job_id, run_id = person.submit_job()
    world.site.submission_answer = lambda: JSONResponse({"success": False, "message": "no"}, status_code=503)
    with submitting(world, run_id):
        let_lease_expire(world, run_id)
        assert take_lease(world.engine.database, run_id, "another worker", ("submitting",)) is not None
    assert (person.get_run(job_id)["status"], list_outcomes(world, run_id)) == ("waiting_for_site", ["not_sent"])


def test_a_job_that_another_worker_adopted_is_not_written_twice(world: World, person: Person) -> None:
    job_id, run_id = person.submit_job()
    with submitting(world, run_id):
        let_lease_expire(world, run_id)
        submit_run(world.engine, run_id)
        assert person.get_run(job_id)["message"] == "The job was found at the site."
    run = person.get_run(job_id)
    assert (run["status"], run["attempts"], run["message"]) == ("running", 1, "The job was found at the site.")


def test_an_answer_is_kept_while_postgresql_restarts(
    world: World, person: Person, postgresql: PostgresqlServer
) -> None:
    job_id, run_id = person.submit_job()
    url = world.engine.database.engine.url
    with contextlib.closing(psycopg2.connect(postgresql.admin_dsn)) as admin:
        admin.autocommit = True

        def allow(connections: bool) -> None:
            name = sql.Identifier(url.database or "")
            admin.cursor().execute(
                sql.SQL("ALTER DATABASE {} WITH ALLOW_CONNECTIONS {}").format(name, sql.Literal(connections))
            )

        def go_away(_job: StubJob) -> None:
            allow(False)
            end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
            admin.cursor().execute(end, (url.database,))
            threading.Timer(1, allow, (True,)).start()

        world.site.on_submit = go_away
        submit_run(world.engine, run_id)
    assert (person.get_run(job_id)["status"], len(world.site.jobs)) == ("running", 1)


def test_many_workers_with_the_same_message_send_once(world: World, person: Person) -> None:
    _job_id, run_id = person.submit_job()
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda _: submit_run(world.engine, run_id), range(12)))
    assert len(world.site.jobs) == 1


def test_cancel_while_the_job_is_being_sent_reaches_the_site(world: World, person: Person) -> None:
    job_id, run_id = person.submit_job()
    with submitting(world, run_id):
        answer = world.client.post(f"/api/v1/jobs/{job_id}/cancel", headers=person.headers)
        assert answer.json()["runs"][0]["status"] == "submitting"
    poll(world, run_id)
    assert world.site.jobs[0].state == 6
    assert person.get_run(job_id)["status"] == "cancelled"


def test_cancel_while_a_worker_asks_whether_the_site_takes_jobs_ends_the_run(world: World, person: Person) -> None:
    job_id, run_id = person.submit_job()

    def cancel() -> None:
        world.client.post(f"/api/v1/jobs/{job_id}/cancel", headers=person.headers)

    world.site.on_probe, world.site.maintenance = cancel, True
    submit_run(world.engine, run_id)
    assert (person.get_run(job_id)["status"], world.site.jobs) == ("cancelled", [])


def test_a_run_that_a_worker_has_just_taken_is_not_ended_under_its_hands(world: World, person: Person) -> None:
    job_id, run_id = person.submit_job()
    with world.engine.database.transaction() as session:
        job = session.get_one(Job, UUID(job_id), with_for_update=True)
        assert take_lease(world.engine.database, run_id, "a worker", ("queued",)) is not None
        request_cancel(session, job)
    assert person.get_run(job_id)["status"] == "queued"
    with world.engine.database.transaction() as session:
        session.get_one(Run, run_id).lease_until = None
    submit_run(world.engine, run_id)
    assert (person.get_run(job_id)["status"], world.site.jobs) == ("cancelled", [])


def test_news_of_a_former_job_do_not_touch_the_one_that_was_sent_after_it(world: World, person: Person) -> None:
    job_id, run_id = bring_to_site(world, person)
    former, gate = world.site.jobs[0], Gate()
    world.site.on_details = lambda job: gate.pass_through() if job is former else None
    make_due(world, run_id)
    late = poll_due_runs(world.engine, lambda _run_id: None)
    gate.await_visitor()
    with world.engine.database.transaction() as session:  # meanwhile another worker has read that it failed
        run = lock_run(session, run_id)
        assert run is not None
        fail_run(session, run, describe_error("site_job_failed", "It failed.", "site", "Retry."))
    world.client.post(f"/api/v1/jobs/{job_id}/retry", headers=person.headers)
    submit_run(world.engine, run_id)
    former.state, former.position = 6, -1
    gate.opened.set()
    late.result(timeout=60)
    run_now = person.get_run(job_id)
    assert (run_now["status"], run_now["external_job_id"]) == ("running", world.site.jobs[1].id)


def test_an_upload_survives_a_curators_edit_of_its_site(world: World, person: Person) -> None:
    job_id, run_id = person.submit_job()
    with submitting(world, run_id):
        edited = world.peers.describe_site()
        edited["site"]["api_config"]["poll_max_s"] = 77
        world.engine.loop.run(world.engine.sites.open(SiteRecord.model_validate(edited), Account("none")))
    assert (person.get_run(job_id)["status"], len(world.site.jobs)) == ("running", 1)


def test_a_run_is_watched_in_the_account_that_it_was_sent_with(world: World, person: Person) -> None:
    job_id, run_id = bring_to_site(world, person)
    world.peers.credentials.clear()
    world.peers.site, world.peers.curated_credential = {"credential_shared": True}, "another-account"
    world.engine.sites = Sites(world.engine.peers)
    world.site.denied = True  # to that account the job is unknown
    for _ in range(4):
        poll(world, run_id)
    run = person.get_run(job_id)
    assert run["status"] == "running"
    assert "token" in run["message"]


def test_postgresql_refuses_a_second_live_submission(world: World, person: Person) -> None:
    _job_id, run_id = bring_to_site(world, person)
    with world.engine.database.transaction() as session:
        first = session.get_one(Attempt, (run_id, 1))
        row = {"run_id": run_id, "mark": "other", "started_at": first.started_at}
    with pytest.raises(Exception, match="uq_run_attempts_live"), world.engine.database.transaction() as session:
        session.execute(
            text(
                "INSERT INTO run_attempts (run_id, number, mark, credential_source, body_bytes, lease_epoch,"
                " result_password, started_at) VALUES (:run_id, 2, :mark, 'own', 1, 1, 'x', :started_at)"
            ),
            row,
        )
