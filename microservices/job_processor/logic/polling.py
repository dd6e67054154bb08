"""Watch the runs that are at sites: one sweep asks all that are due, all at once, on the worker's event loop."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from microservices.backends.base import CANCEL_STEP, CredentialRefusedError, SiteError, SiteJob, SiteMessage
from microservices.backends.blame import tell_whose
from microservices.contracts.curation import ApiConfig
from microservices.contracts.registry import SiteRecord
from microservices.job_processor.errors import SiteNotFoundError
from microservices.job_processor.logic.engine import Engine
from microservices.job_processor.logic.holding import describe_error, describe_lost_job, fail_run, is_lost, put_off
from microservices.job_processor.logic.lifecycle import advance_progress, change_run, clean_words, tell_run
from microservices.job_processor.logic.sites import Account, CredentialMissingError
from microservices.job_processor.models import Run
from microservices.job_processor.queries import find_accepted_attempt, lock_run, select_due_runs
from microservices.kernel.db import utc_now
from microservices.kernel.errors import ServiceError
from microservices.kernel.logs import get_logger

_BATCH = 500
_CLAIM = timedelta(seconds=60)
_LOG_TAIL = 600
# Of a run's 100 %, the site's own work is the first 95; bringing the results home is the rest.
_SITE_SHARE = 0.95

log = get_logger(__name__)

_FIXES = {
    "input": "Read the site's words above, change the input or the parameters, and submit again.",
    "site": "Retry the run; if it fails again, show the site's operators its words above.",
}

Finding = SiteJob | SiteError


def poll_due_runs(engine: Engine, on_ready: Callable[[UUID], None]) -> Future[None]:
    """Begin to ask the sites about every due run; `on_ready` is told each whose results are ready to be collected.

    Nobody has to wait for the end: no thread of the worker, and no run for another one's slow site.
    """
    with engine.database.transaction() as session:
        runs = list(session.scalars(select_due_runs(("running",), utc_now(), _BATCH)))
        for run in runs:
            run.next_action_at, run.woken_at = utc_now() + _CLAIM, None
    return engine.loop.start(_watch_all(engine, runs, on_ready))


async def _watch_all(engine: Engine, runs: list[Run], on_ready: Callable[[UUID], None]) -> None:
    await asyncio.gather(*(_watch(engine, run, on_ready) for run in runs))


async def _watch(engine: Engine, run: Run, on_ready: Callable[[UUID], None]) -> None:
    """Look at one run; a fault of one adapter, or of one site's words, must not stop the watching of the others."""
    if run.id in engine.watched:
        return
    engine.watched.add(run.id)
    try:
        async with engine.lines_to_sites[run.service_id]:
            access = await asyncio.to_thread(_find_access, engine, run)
            finding = await _ask(engine, run, *access) if access is not None else None
        if access is not None and finding is not None:
            await asyncio.to_thread(_conclude, engine, run, access[0].site.api_config, finding, on_ready)
    except Exception:
        log.exception("poll_failed", run_id=str(run.id))
    finally:
        engine.watched.discard(run.id)


def _find_access(engine: Engine, run: Run) -> tuple[SiteRecord, Account] | None:
    """None when one of our services is away, or the token is gone: the site goes on, so the run does."""
    attempt = find_accepted_attempt(run)
    assert attempt is not None
    try:
        record = engine.sites.get_record(run.service_id)
        return record, engine.sites.get_account(run, record, attempt.credential_source)
    except SiteNotFoundError:
        _wait(engine, run.id, "The run is at the site, but the site is no longer in the catalogue. Ask a curator.")
    except ServiceError as error:
        _wait(engine, run.id, f"Waiting for a part of the platform: {error.detail}")
    except CredentialMissingError:
        _wait(engine, run.id, "The run is at the site, but the token that it was sent with is gone. Add it again.")
    return None


def _wait(engine: Engine, run_id: UUID, message: str) -> None:
    with engine.database.transaction() as session:
        run = lock_run(session, run_id)
        if run is not None and run.status == "running":
            change_run(session, run, "running", message)
            put_off(run, 5)


async def _ask(engine: Engine, run: Run, record: SiteRecord, account: Account) -> Finding:
    """What the site says of the run; one that is to be cancelled is told so each time, until it has ended."""
    assert run.external_job_id is not None
    try:
        backend = await engine.sites.open(record, account)
        ask = backend.cancel if run.cancel_requested_at is not None else backend.status
        job = await ask(run.external_job_id)
        if job.state == "failed" and not any(message.level == "error" for message in job.messages):
            return _add_reason(job, await backend.failure_log(run.external_job_id))
        return job
    except CredentialRefusedError as error:
        engine.sites.forget_account(run, account.source)
        return error
    except SiteError as error:
        return error


def _conclude(
    engine: Engine, asked: Run, config: ApiConfig, finding: Finding, on_ready: Callable[[UUID], None]
) -> None:
    """Write what was found about `asked`, the run as it was then: it may have ended or been sent anew meanwhile."""
    with engine.database.transaction() as session:
        run = lock_run(session, asked.id)
        if run is None or run.status != "running" or run.external_job_id != asked.external_job_id:
            return
        if isinstance(finding, SiteError):
            _apply_error(session, run, config, finding)
        else:
            _apply_state(session, run, config, finding)
        if run.cancel_requested_at is not None and asked.cancel_requested_at is None:
            run.next_action_at = utc_now()
    if run.status == "collecting":
        on_ready(run.id)


def _apply_error(session: Session, run: Run, config: ApiConfig, error: SiteError) -> None:
    """No news is no failure: only a job that the site denies again and again is lost."""
    if is_lost(run, error):
        if run.cancel_requested_at is not None:
            change_run(session, run, "cancelled", "The site does not know the job any more.")
        else:
            fail_run(session, run, describe_lost_job(run))
        return
    change_run(session, run, "running", f"No news from the site: {error.message}")
    put_off(run, config.poll_first_s)


def _apply_state(session: Session, run: Run, config: ApiConfig, job: SiteJob) -> None:
    is_news = run.external_status != job.external_status
    run.setbacks = 0
    run.external_status = clean_words(job.external_status)
    run.queue_position = job.queue_position
    match job.state:
        case "succeeded":
            run.queue_position = None
            advance_progress(run, 100 * _SITE_SHARE)
            change_run(session, run, "collecting", "The site has finished; its results are being fetched.")
        case "failed" if run.cancel_requested_at is None or not is_news:
            _apply_failure(session, run, job)
        case "cancelled":
            _apply_cancelled(session, run)
        case "dead" | "gone" if run.cancel_requested_at is not None:
            change_run(session, run, "cancelled", "The job has ended at the site.")
        case "dead":
            fix = "Retry the run to submit it again."
            message = "The site gave the job up through a fault of its own, such as a restart."
            message = " ".join([message, *(told.text for told in job.messages if told.level == "error")])
            fail_run(session, run, describe_error("site_gave_up", message[:2000], "site", fix))
        case "gone":
            fix = "Retry the run to submit it again."
            message = "The site has deleted the job's results already."
            fail_run(session, run, describe_error("results_gone", message, "site", fix))
        case _:  # also a failure just after a cancel, which sites show for a moment before they say `cancelled`
            _apply_progress(session, run, config, job)


def _apply_cancelled(session: Session, run: Run) -> None:
    whose = "The site confirmed the cancellation." if run.cancel_requested_at else "The job was cancelled at the site."
    change_run(session, run, "cancelled", whose)


def _apply_failure(session: Session, run: Run, job: SiteJob) -> None:
    texts = [message.text for message in job.messages if message.level == "error"]
    message = " ".join(texts) or "The job failed at the site, which gives no reason."
    whose = tell_whose(job.messages)
    fail_run(session, run, describe_error("site_job_failed", message, whose, _FIXES[whose]))


def _apply_progress(session: Session, run: Run, config: ApiConfig, job: SiteJob) -> None:
    moved = advance_progress(run, None if job.progress is None else round(job.progress * _SITE_SHARE, 1))
    message = _tell_state(job) if run.cancel_requested_at is None else _tell_cancelling(job)
    if message != run.message:
        change_run(session, run, "running", message)
    elif moved:
        tell_run(session, run)
    run.next_action_at = utc_now() + timedelta(seconds=_next_interval_s(run, config))


def _tell_cancelling(job: SiteJob) -> str:
    said = [message.text for message in job.messages if message.step == CANCEL_STEP]
    return " ".join(["The site was asked to cancel.", *said])


def _tell_state(job: SiteJob) -> str:
    if job.state == "waiting":
        ahead = f" ({job.queue_position} jobs ahead)" if job.queue_position else ""
        return f"Waiting in the site's queue{ahead}."
    if job.messages:
        last = job.messages[-1]
        return f"{last.step}: {last.text.splitlines()[0][:300]}" if last.text.strip() else last.step
    return "The site is at work."


def _next_interval_s(run: Run, config: ApiConfig) -> float:
    """The first interval for a young run, growing to a tenth of its age, up to the site's longest."""
    if run.cancel_requested_at is not None:
        return config.poll_first_s
    age_s = (utc_now() - (run.submitted_at or run.created_at)).total_seconds()
    return min(max(config.poll_first_s, age_s / 10), max(config.poll_max_s, config.poll_first_s))


def _add_reason(job: SiteJob, site_log: str) -> SiteJob:
    """The job with the end of the site's log in place of the messages that it lacks."""
    tail = site_log.strip()[-_LOG_TAIL:]
    return replace(job, messages=(*job.messages, SiteMessage("Log", "error", tail))) if tail else job
