"""Watch the runs that are at sites: one sweep asks all that are due, all at once, on the worker's event loop."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from microservices.backends.base import JobNotFoundError, SiteError, SiteJob, SiteMessage
from microservices.contracts.curation import ApiConfig
from microservices.contracts.registry import SiteRecord
from microservices.job_processor.errors import SiteNotFoundError
from microservices.job_processor.logic.engine import Engine
from microservices.job_processor.logic.holding import describe_error, fail_run, put_off
from microservices.job_processor.logic.lifecycle import advance_progress, change_run, tell_run
from microservices.job_processor.logic.sites import Account, CredentialMissingError
from microservices.job_processor.models import Run
from microservices.job_processor.queries import lock_run, select_due_runs
from microservices.kernel.db import utc_now
from microservices.kernel.errors import ServiceError
from microservices.kernel.logs import get_logger

_BATCH = 500
_CLAIM = timedelta(seconds=60)
_LOOKS_BEFORE_LOST = 3
_LOG_TAIL = 600
# Of a run's 100 %, the site's own work is the first 95; bringing the results home is the rest.
_SITE_SHARE = 0.95

log = get_logger(__name__)

Finding = SiteJob | SiteError


def poll_due_runs(engine: Engine) -> list[UUID]:
    """Ask the sites about every due run; the runs whose results are ready to be collected."""
    with engine.database.transaction() as session:
        runs = list(session.scalars(select_due_runs(("running",), utc_now(), _BATCH)))
        for run in runs:
            run.next_action_at = utc_now() + _CLAIM
    asked = [(run, *access) for run in runs if (access := _find_access(engine, run)) is not None]
    findings = engine.loop.run(_ask_all(engine, asked))
    ready = []
    for (run, record, _account), finding in zip(asked, findings, strict=True):
        if _apply(engine, run.id, record.site.api_config, finding):
            ready.append(run.id)
    return ready


def _find_access(engine: Engine, run: Run) -> tuple[SiteRecord, Account] | None:
    """None when one of our services is away, or the token is gone: the site goes on, so the run does."""
    try:
        record = engine.sites.get_record(run.service_id)
        return record, engine.sites.get_account(run, record)
    except SiteNotFoundError:
        _wait(engine, run.id, "The run is at the site, but the site is no longer in the catalogue. Ask a curator.")
    except ServiceError as error:
        _wait(engine, run.id, f"Waiting for a part of the platform: {error.detail}")
    except CredentialMissingError:
        _wait(engine, run.id, "The run is at the site, but your token for the site is gone. Add it again.")
    return None


def _wait(engine: Engine, run_id: UUID, message: str) -> None:
    with engine.database.transaction() as session:
        run = lock_run(session, run_id)
        if run is not None and run.status == "running":
            change_run(session, run, "running", message)
            put_off(run, 5)


async def _ask_all(engine: Engine, asked: list[tuple[Run, SiteRecord, Account]]) -> list[Finding]:
    return await asyncio.gather(*(_ask(engine, *one) for one in asked))


async def _ask(engine: Engine, run: Run, record: SiteRecord, account: Account) -> Finding:
    assert run.external_job_id is not None
    try:
        backend = await engine.sites.open(record, account)
        job = await backend.status(run.external_job_id)
        if job.state == "failed" and not any(message.level == "error" for message in job.messages):
            return _add_reason(job, await backend.failure_log(run.external_job_id))
        return job
    except SiteError as error:
        return error
    except Exception as error:  # a bug in one adapter must not stop the watching of all other sites
        log.exception("poll_failed", run_id=str(run.id))
        return SiteError(f"The answer could not be understood: {error!r}", code="adapter_fault", whose="platform")


def _apply(engine: Engine, run_id: UUID, config: ApiConfig, finding: Finding) -> bool:
    """Write what was found; True when results are ready."""
    with engine.database.transaction() as session:
        run = lock_run(session, run_id)
        if run is None or run.status != "running":
            return False
        if isinstance(finding, SiteError):
            _apply_error(session, run, config, finding)
            return False
        run.setbacks = 0
        run.external_status = finding.external_status
        run.queue_position = finding.queue_position
        return _apply_state(session, run, config, finding)


def _apply_error(session: Session, run: Run, config: ApiConfig, error: SiteError) -> None:
    """No news is no failure: only a job that the site denies again and again is lost."""
    if isinstance(error, JobNotFoundError) and run.setbacks + 1 >= _LOOKS_BEFORE_LOST:
        message = f"The site does not know the job {run.external_job_id} any more."
        fix = "It was deleted there, or the site was rebuilt. Retry the run to submit it again."
        fail_run(session, run, describe_error("site_lost_job", message, "site", fix))
        return
    change_run(session, run, "running", f"No news from the site: {error.message}")
    put_off(run, config.poll_first_s)


def _apply_state(session: Session, run: Run, config: ApiConfig, job: SiteJob) -> bool:
    match job.state:
        case "succeeded":
            run.queue_position = None
            advance_progress(run, 100 * _SITE_SHARE)
            change_run(session, run, "collecting", "The site has finished; its results are being fetched.")
            return True
        case "failed":
            _apply_failure(session, run, job)
        case "cancelled":
            _apply_cancelled(session, run)
        case "dead":
            fix = "Retry the run to submit it again."
            message = "The site was restarted while the job waited or ran there, and gave it up."
            fail_run(session, run, describe_error("site_restarted", message, "site", fix))
        case "gone":
            fix = "Retry the run to submit it again."
            message = "The site has deleted the job's results already."
            fail_run(session, run, describe_error("results_gone", message, "site", fix))
        case _:
            _apply_progress(session, run, config, job)
    return False


def _apply_cancelled(session: Session, run: Run) -> None:
    whose = "The site confirmed the cancellation." if run.cancel_requested_at else "The job was cancelled at the site."
    change_run(session, run, "cancelled", whose)


def _apply_failure(session: Session, run: Run, job: SiteJob) -> None:
    texts = [message.text for message in job.messages if message.level == "error"]
    message = " ".join(texts) or "The job failed at the site, which gives no reason."
    fix = "Read the site's words above, change the input or the parameters, and submit again."
    fail_run(session, run, describe_error("site_job_failed", message[:2000], "input" if texts else "site", fix))


def _apply_progress(session: Session, run: Run, config: ApiConfig, job: SiteJob) -> None:
    moved = advance_progress(run, None if job.progress is None else round(job.progress * _SITE_SHARE, 1))
    message = _tell_state(job)
    if message != run.message and run.cancel_requested_at is None:
        change_run(session, run, "running", message)
    elif moved:
        tell_run(session, run)
    run.next_action_at = utc_now() + timedelta(seconds=_next_interval_s(run, config))


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
    age_s = (utc_now() - (run.submitted_at or run.created_at)).total_seconds()
    return min(max(config.poll_first_s, age_s / 10), max(config.poll_max_s, config.poll_first_s))


def _add_reason(job: SiteJob, site_log: str) -> SiteJob:
    """The job with the end of the site's log in place of the messages that it lacks."""
    tail = site_log.strip()[-_LOG_TAIL:]
    return replace(job, messages=(*job.messages, SiteMessage("Log", "error", tail))) if tail else job
