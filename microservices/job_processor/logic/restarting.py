"""A job that its site gave up is begun anew there, as the same job: nothing is sent twice.

Each request is counted before it is made, so that one whose answer is lost can neither loop nor be forgotten: the next
look at the job tells what became of it.
"""

import asyncio
from dataclasses import replace
from typing import Any
from uuid import UUID

from microservices.backends.base import Backend, SiteError, SiteJob, SiteMessage, SiteUnavailableError
from microservices.job_processor.logic.engine import Engine
from microservices.job_processor.logic.holding import describe_error
from microservices.job_processor.logic.lifecycle import change_run
from microservices.job_processor.models import Run
from microservices.job_processor.queries import Watched, find_accepted_attempt, lock_run

MOST_RESTARTS = 2
_GAVE_UP = "The site gave the job up through a fault of its own, such as a restart"


async def restart_dead_job(engine: Engine, run: Watched, backend: Backend, job: SiteJob) -> SiteJob:
    """How the job stands once its site was asked to restart it; as it was where that is of no use any more.

    Raises `SiteError` where it is not known what became of the request: look at the job again.
    """
    if not await asyncio.to_thread(_count_restart, engine, run):
        return job
    try:
        restarted = await backend.restart(run.external_job_id)
    except SiteError as error:
        if error.code != "not_offered":
            raise
        return replace(job, messages=(*job.messages, SiteMessage("Restart", "error", error.message)))
    if restarted.state == "dead":
        raise SiteUnavailableError("The site was asked to restart the job, and has not done so.", code="not_restarted")
    return restarted


def _count_restart(engine: Engine, run: Watched) -> bool:
    """Whether to ask; False also for a run that has been cancelled, ended or sent anew since it was looked at."""
    if not _may_restart(engine, run.service_id):
        return False
    with engine.database.transaction() as session:
        own = lock_run(session, run.id)
        attempt = find_accepted_attempt(own) if own is not None else None
        if own is None or attempt is None or attempt.external_job_id != run.external_job_id:
            return False
        if own.status != "running" or own.cancel_requested_at is not None or attempt.restarts >= MOST_RESTARTS:
            return False
        attempt.restarts += 1
        own.progress = 0.0
        told = f"{_GAVE_UP}. It is asked to begin the same job anew ({attempt.restarts} of at most {MOST_RESTARTS})."
        change_run(session, own, "running", told)
        return True


def _may_restart(engine: Engine, service_id: UUID) -> bool:
    """One of which it is not known is asked: it can only say no. Raises `ServiceError` while the catalogue is away."""
    known = engine.sites.get_record(service_id).capabilities
    return known is None or known.restarts is not False


def describe_death(run: Run, job: SiteJob) -> dict[str, Any]:
    """Why a run ends whose job the site gave up for good."""
    attempt = find_accepted_attempt(run)
    count = attempt.restarts if attempt is not None else 0
    again = f", and has not finished it after {count} restart{'s'[: count - 1]}" if count else ""
    said = [told.text for told in job.messages if told.level == "error"]
    message = " ".join([f"{_GAVE_UP}{again}.", *said])
    return describe_error("site_gave_up", message[:2000], "site", "Retry the run to submit it again.")
