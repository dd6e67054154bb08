"""Cancel reaches the site: a run that is there ends when the site says so, never merely here."""

from uuid import UUID

from sqlalchemy.orm import Session

from microservices.backends.base import SiteError
from microservices.job_processor.errors import JobStateError
from microservices.job_processor.logic.engine import Engine
from microservices.job_processor.logic.holding import put_off
from microservices.job_processor.logic.lifecycle import change_run
from microservices.job_processor.logic.sites import CredentialMissingError
from microservices.job_processor.models import FINAL_STATUSES, Job, Run
from microservices.job_processor.queries import find_open_attempt, find_run, lock_run
from microservices.kernel.db import utc_now
from microservices.kernel.errors import ServiceError


def request_cancel(session: Session, job: Job) -> list[UUID]:
    """Ask for the end of every unfinished run of a locked job; the runs whose site must be told."""
    unfinished = [run for run in job.runs if run.status not in FINAL_STATUSES]
    if not unfinished:
        raise JobStateError(f"The job is {job.status} already; there is nothing to cancel.")
    at_sites = []
    for run in unfinished:
        run.cancel_requested_at = run.cancel_requested_at or utc_now()
        locked = lock_run(session, run.id)
        assert locked is not None
        if locked.status in ("queued", "waiting_for_site") and locked.lease_until is None:
            cancel_unsent(session, locked)
        elif locked.status == "running":
            change_run(session, locked, "running", "Asking the site to cancel.")
            at_sites.append(locked.id)
    return at_sites


def cancel_unsent(session: Session, run: Run) -> None:
    """End a run of which nothing is at a site."""
    assert find_open_attempt(run) is None
    change_run(session, run, "cancelled", "Cancelled before anything was sent to the site.")


def cancel_at_site(engine: Engine, run_id: UUID) -> None:
    """Pass a wish to cancel on to the site. The next poll reads what became of it."""
    with engine.database.transaction() as session:
        run = find_run(session, run_id)
    if run is None or run.status != "running" or run.cancel_requested_at is None or run.external_job_id is None:
        return
    try:
        record = engine.sites.get_record(run.service_id)
        account = engine.sites.get_account(run, record)
        backend = engine.loop.run(engine.sites.open(record, account))
        engine.loop.run(backend.cancel(run.external_job_id))
    except (SiteError, ServiceError, CredentialMissingError) as error:
        _note(engine, run_id, f"The site could not be told to cancel yet: {_words(error)}", 5)
    else:
        _note(engine, run_id, "The site was told to cancel.", 0)


def _words(error: Exception) -> str:
    if isinstance(error, CredentialMissingError):
        return "there is no token for it any more."
    return getattr(error, "message", None) or getattr(error, "detail", None) or str(error)


def _note(engine: Engine, run_id: UUID, message: str, pause_s: float) -> None:
    with engine.database.transaction() as session:
        run = lock_run(session, run_id)
        if run is not None and run.status == "running":
            change_run(session, run, "running", message)
            put_off(run, pause_s)
