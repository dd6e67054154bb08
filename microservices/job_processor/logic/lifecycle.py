"""The states of a run, and what each change brings with it: history, events, and the job's own status."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from microservices.contracts.job_processor import (
    JOB_UPDATED,
    RUN_ENDED,
    RUN_UPDATED,
    JobUpdated,
    RunEnded,
    RunUpdated,
)
from microservices.job_processor.logic.places import wake_next
from microservices.job_processor.models import FINAL_STATUSES, Job, Run, StatusUpdate
from microservices.kernel.db import utc_now
from microservices.kernel.outbox import record_event

SUBSCRIBERS = ("notification",)

TRANSITIONS: dict[str, frozenset[str]] = {
    "queued": frozenset({"submitting", "waiting_for_site", "failed", "cancelled"}),
    "submitting": frozenset({"running", "waiting_for_site", "failed", "cancelled"}),
    "waiting_for_site": frozenset({"submitting", "failed", "cancelled"}),
    "running": frozenset({"collecting", "waiting_for_site", "failed", "cancelled"}),
    "collecting": frozenset({"completed", "failed", "cancelled"}),
    "completed": frozenset(),
    "failed": frozenset({"queued"}),
    "cancelled": frozenset(),
}

_AT_SITE = frozenset({"submitting", "running"})
_AT_WORK = frozenset({"submitting", "waiting_for_site", "running", "collecting"})


_LONGEST_WORDS = 2000
_TOLD = ("job_id", "run_id", "organization_id", "owner_id", "status", "progress", "message", "occurred_at")
_HISTORY = insert(StatusUpdate)


class IllegalTransitionError(Exception):
    """A bug of ours: the table above does not know this change."""


def derive_job_status(statuses: Iterable[str]) -> str:
    """A job's status from those of its runs (`api.md`: Jobs)."""
    found = set(statuses)
    if found & _AT_WORK or ("queued" in found and found != {"queued"}):
        return "running"
    if found == {"queued"}:
        return "queued"
    if found == {"completed"}:
        return "completed"
    if "completed" in found:
        return "partly_completed"
    return "failed" if "failed" in found else "cancelled"


def clean_words(text: str) -> str:
    """A site's words as PostgreSQL can store them: without NUL, without halves of surrogate pairs, and with an end."""
    return text.replace("\x00", "").encode(errors="replace").decode()[:_LONGEST_WORDS]


def change_run(session: Session, run: Run, status: str, message: str, *, error: dict[str, Any] | None = None) -> None:
    """Bring a locked run into `status`. The same status again is fine, and only tells news."""
    if status != run.status and status not in TRANSITIONS[run.status]:
        raise IllegalTransitionError(f"{run.status} → {status}")
    message = clean_words(message)
    if status == run.status and message == run.message and error == run.error:
        return
    now = utc_now()
    leaves_site = run.status in _AT_SITE and status not in _AT_SITE | {"waiting_for_site"}
    if status != run.status:
        run.next_action_at = now
        if status not in ("submitting", "waiting_for_site"):
            run.setbacks = 0
    run.status, run.message, run.error = status, message, error
    if status == "completed":
        run.progress = 100.0
    run.finished_at = now if status in FINAL_STATUSES else None
    tell_run(session, run)
    if leaves_site:
        session.flush()
        wake_next(session, run)
    if status in FINAL_STATUSES and run.attempts:
        tell_end(session, run)
    _derive_job(session, run.job)


def tell_end(session: Session, run: Run) -> None:
    """What sites were given of the run's inputs is to be withdrawn."""
    data = RunEnded(run_id=run.id, attempt=len(run.attempts))
    record_event(
        session,
        type=RUN_ENDED,
        subject=f"run/{run.id}",
        data=data.model_dump(mode="json"),
        subscribers=("file_manager",),
    )


def tell_run(session: Session, run: Run) -> None:
    news = RunUpdated(
        job_id=run.job_id,
        run_id=run.id,
        organization_id=run.organization_id,
        owner_id=run.owner_id,
        service_id=run.service_id,
        status=run.status,
        progress=run.progress,
        message=run.message,
        occurred_at=utc_now(),
    )
    write_news(session, RUN_UPDATED, news)


def write_news(session: Session, type: str, news: JobUpdated | RunUpdated) -> None:
    """Into the job's history and, in the same commit, into the outbox."""
    facts = news.model_dump()
    session.connection().execute(_HISTORY, {name: facts.get(name) for name in _TOLD})
    record_event(session, type=type, subject=f"job/{news.job_id}", data=facts, subscribers=SUBSCRIBERS)


def _derive_job(session: Session, job: Job) -> None:
    status = derive_job_status(run.status for run in job.runs)
    if status == job.status:
        return
    now = utc_now()
    job.status = status
    job.started_at = job.started_at or (now if status == "running" else None)
    job.finished_at = None if status in ("queued", "running") else now
    tell_job(session, job, f"The job is {status.replace('_', ' ')}.")


def tell_job(session: Session, job: Job, message: str) -> None:
    news = JobUpdated(
        job_id=job.id,
        organization_id=job.organization_id,
        owner_id=job.owner_id,
        name=job.name,
        status=job.status,
        progress=job_progress(job),
        message=message,
        occurred_at=utc_now(),
    )
    write_news(session, JOB_UPDATED, news)


def job_progress(job: Job) -> float:
    """0–100: the mean of the runs; one that ended without success has no more to do."""
    return average_progress((run.status, run.progress) for run in job.runs)


def average_progress(runs: Iterable[tuple[str, float]]) -> float:
    shares = [100.0 if status in FINAL_STATUSES else progress for status, progress in runs]
    return round(sum(shares) / len(shares), 1) if shares else 0.0


def advance_progress(run: Run, progress: float | None) -> bool:
    """Progress never goes back, whatever a site says; True when it moved."""
    if progress is None or progress <= run.progress:
        return False
    run.progress = min(progress, 100.0)
    return True
