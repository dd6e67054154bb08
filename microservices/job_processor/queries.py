"""Reads of job_processing_db. What a person asks for is always asked for as that person."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Select, exists, func, select, text, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from microservices.job_processor.models import (
    FINAL_STATUSES,
    Attempt,
    CollectedFile,
    Job,
    JobInput,
    ResidencyDecision,
    Run,
    RunSummary,
    StatusUpdate,
)
from microservices.kernel.auth import Principal

JOB_ORDER: dict[str, InstrumentedAttribute[datetime] | InstrumentedAttribute[str]] = {
    "created_at": Job.created_at,
    "name": Job.name,
    "status": Job.status,
}


def select_jobs(caller: Principal) -> Select[Job]:
    user_id, organization_id = caller.person
    return select(Job).where(Job.organization_id == organization_id, Job.owner_id == user_id)


def narrow_jobs(
    statement: Select[Job],
    *,
    status: str | None,
    service_id: UUID | None,
    text: str | None,
    created_after: datetime | None,
) -> Select[Job]:
    if status:
        statement = statement.where(Job.status == status)
    if service_id:
        statement = statement.where(Job.runs.any(Run.service_id == service_id))
    if text:
        statement = statement.where(Job.name.icontains(text, autoescape=True))
    if created_after:
        statement = statement.where(Job.created_at > created_after)
    return statement


def find_job(session: Session, caller: Principal, job_id: UUID, *, lock: bool = False) -> Job | None:
    statement = select_jobs(caller).where(Job.id == job_id)
    return session.scalar(statement.with_for_update(of=Job) if lock else statement)


def find_history(session: Session, job_id: UUID, after: int, limit: int) -> list[StatusUpdate]:
    statement = select(StatusUpdate).where(StatusUpdate.job_id == job_id, StatusUpdate.id > after)
    return list(session.scalars(statement.order_by(StatusUpdate.id).limit(limit)))


def count_history(session: Session, job_id: UUID) -> int:
    statement = select(func.count()).select_from(StatusUpdate).where(StatusUpdate.job_id == job_id)
    return session.scalar(statement) or 0


def find_decisions(session: Session, job_id: UUID, after: int, limit: int) -> list[ResidencyDecision]:
    statement = select(ResidencyDecision).where(ResidencyDecision.job_id == job_id, ResidencyDecision.id > after)
    return list(session.scalars(statement.order_by(ResidencyDecision.id).limit(limit)))


def count_decisions(session: Session, job_id: UUID) -> int:
    statement = select(func.count()).select_from(ResidencyDecision).where(ResidencyDecision.job_id == job_id)
    return session.scalar(statement) or 0


def lock_run(session: Session, run_id: UUID) -> Run | None:
    """The run with its job, both locked: the job first, always, so that two tasks never wait for one another.

    What the session read of the run before is read again, since a lease may have been taken meanwhile.
    """
    job_id = session.scalar(select(Run.job_id).where(Run.id == run_id))
    if job_id is None:
        return None
    session.execute(select(Job.id).where(Job.id == job_id).with_for_update())
    statement = select(Run).where(Run.id == run_id).with_for_update(of=Run)
    return session.scalar(statement.execution_options(populate_existing=True))


def find_site(session: Session, run_id: UUID) -> UUID | None:
    return session.scalar(select(Run.service_id).where(Run.id == run_id))


def is_file_in_use(session: Session, file_id: UUID) -> bool:
    unfinished = exists().where(Run.job_id == JobInput.job_id, Run.status.not_in(FINAL_STATUSES))
    return bool(session.scalar(select(exists().where(JobInput.file_id == file_id, unfinished))))


def _is_due(statuses: Iterable[str], now: datetime) -> tuple[ColumnElement[bool], ...]:
    """Nobody works on it, and the time of its next step has come."""
    is_free = (Run.lease_until.is_(None)) | (Run.lease_until < now)
    return Run.status.in_(tuple(statuses)), Run.next_action_at <= now, is_free


def claim_in_turn(session: Session, statuses: Iterable[str], now: datetime, until: datetime, limit: int) -> list[UUID]:
    """Claim due runs until then: of each person at each site the first, then of each the second, and so on.

    Among one person's the higher priority goes first, then what has been due longest. Those of other sweeps are passed
    over.
    """
    due = _is_due(statuses, now)
    own_order = Run.priority.desc(), Run.next_action_at
    turn = func.row_number().over(partition_by=(Run.service_id, Run.owner_id), order_by=own_order).label("turn")
    ranked = select(Run.id, turn).where(*due).order_by(turn, *own_order).limit(limit).subquery()
    free = select(Run.id, ranked.c.turn, Run.priority, Run.next_action_at).join(ranked, ranked.c.id == Run.id)
    locked = free.where(*due).with_for_update(of=Run, skip_locked=True).cte("locked")
    claimed = (
        update(Run)
        .where(Run.id == locked.c.id)
        .values(next_action_at=until)
        .returning(Run.id, locked.c.turn, locked.c.priority, locked.c.next_action_at)
        .execution_options(synchronize_session=False)
    )
    rows = sorted(session.execute(claimed), key=lambda row: (row.turn, -row.priority, row.next_action_at))
    return [row.id for row in rows]


class Watched(NamedTuple):
    """A run at a site as it was when it was claimed, and whose account it was sent with."""

    id: UUID
    owner_id: UUID
    service_id: UUID
    external_job_id: str
    external_status: str | None
    queue_position: int | None
    progress: float
    message: str
    setbacks: int
    created_at: datetime
    submitted_at: datetime | None
    cancel_requested_at: datetime | None
    credential_source: str


def claim_watched(session: Session, now: datetime, until: datetime, limit: int) -> list[Watched]:
    """Claim the due runs at sites until then: so long nobody else looks at them."""
    oldest = select(Run.id).where(*_is_due(("running",), now)).order_by(Run.next_action_at).limit(limit)
    due = oldest.with_for_update(of=Run, skip_locked=True).cte("due")
    accepted = (Attempt.outcome == "accepted") & Attempt.retired_at.is_(None)
    columns = [getattr(Run, name) for name in Watched._fields[:-1]]
    claimed = (
        update(Run)
        .where(Run.id == due.c.id, Attempt.run_id == Run.id, accepted)
        .values(next_action_at=until, woken_at=None)
        .returning(*columns, Attempt.credential_source)
        .execution_options(synchronize_session=False)
    )
    return [Watched(*row) for row in session.execute(claimed)]


_PUT_OFF = text(
    """
    WITH told AS (
        SELECT * FROM unnest(
            CAST(:ids AS uuid[]), CAST(:jobs AS text[]), CAST(:times AS timestamptz[])
        ) AS told (id, external_job_id, next_at)
    ), free AS (
        SELECT job_runs.id, next_at FROM job_runs JOIN told USING (id, external_job_id)
        WHERE status = 'running' AND cancel_requested_at IS NULL
        FOR UPDATE OF job_runs SKIP LOCKED
    )
    UPDATE job_runs SET next_action_at = free.next_at FROM free WHERE job_runs.id = free.id RETURNING job_runs.id
    """
)


def put_off_unchanged(session: Session, rows: Sequence[tuple[UUID, str, datetime]]) -> set[UUID]:
    """Set when to look again at the runs (id, job at the site, time) of which there is nothing new to tell.

    The ids of those that are as they were: not of one that ended, was sent anew, is to be cancelled, or is locked now.
    """
    if not rows:
        return set()
    ids, jobs, times = ([str(value) for value in column] for column in zip(*rows, strict=True))
    return set(session.scalars(_PUT_OFF, {"ids": ids, "jobs": jobs, "times": times}))


class AccountAtSite(NamedTuple):
    """`owner_id` None: an account that many people share."""

    service_id: UUID
    source: str
    owner_id: UUID | None


def _is_at(account: AccountAtSite) -> tuple[ColumnElement[bool], ...]:
    own = () if account.owner_id is None else (Run.owner_id == account.owner_id,)
    return Run.service_id == account.service_id, *own


def _select_places_taken(account: AccountAtSite) -> Select[Any]:
    """The owners of the jobs that are at the site, or may be."""
    may_be = Attempt.outcome.is_(None) | ((Attempt.outcome == "accepted") & Attempt.retired_at.is_(None))
    return (
        select(Run.owner_id)
        .join(Attempt, Attempt.run_id == Run.id)
        .where(*_is_at(account), Run.status.in_(("submitting", "running")))
        .where(may_be, Attempt.credential_source == account.source)
    )


def count_places_taken(session: Session, account: AccountAtSite) -> int:
    return session.scalar(select(func.count()).select_from(_select_places_taken(account).subquery())) or 0


def select_waiting(account: AccountAtSite, also: UUID | None = None) -> Select[Any]:
    """Ids of the runs that wait for a place (and `also`), whose turn is first first.

    A priority counts among those of people with as many jobs there: it makes nobody's share larger.
    """
    places = _select_places_taken(account).subquery()
    taken = select(func.count()).where(places.c.owner_id == Run.owner_id).scalar_subquery()
    waits = (Run.waits_for == account.source) & (Run.status == "waiting_for_site") & Run.cancel_requested_at.is_(None)
    wanted = waits if also is None else waits | (Run.id == also)
    return select(Run.id).where(*_is_at(account), wanted).order_by(taken, Run.priority.desc(), Run.created_at, Run.id)


def find_open_attempt(run: Run) -> Attempt | None:
    """The attempt of which nobody knows yet what became of it."""
    return next((attempt for attempt in run.attempts if attempt.outcome is None), None)


def find_accepted_attempt(run: Run) -> Attempt | None:
    accepted = (a for a in run.attempts if a.outcome == "accepted" and a.retired_at is None)
    return next(accepted, None)


def find_collected(session: Session, run_id: UUID, external_job_id: str) -> dict[str, CollectedFile]:
    statement = select(CollectedFile).where(
        CollectedFile.run_id == run_id, CollectedFile.external_job_id == external_job_id
    )
    return {row.filename: row for row in session.scalars(statement)}


def find_summaries(session: Session, run: Run) -> list[RunSummary]:
    statement = select(RunSummary).where(RunSummary.run_id == run.id, RunSummary.external_job_id == run.external_job_id)
    return list(session.scalars(statement))


def list_summaries(session: Session, job: Job) -> dict[UUID, list[RunSummary]]:
    """By run: of what the site of its latest attempt has said."""
    statement = (
        select(RunSummary)
        .join(Run, (Run.id == RunSummary.run_id) & (Run.external_job_id == RunSummary.external_job_id))
        .where(Run.job_id == job.id)
    )
    by_run: dict[UUID, list[RunSummary]] = {}
    for row in session.scalars(statement):
        by_run.setdefault(row.run_id, []).append(row)
    return by_run
