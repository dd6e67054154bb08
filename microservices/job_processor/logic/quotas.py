"""How much people and organisations may have under way and begin in a month, and what they used of it."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from typing import Any, Literal, NamedTuple
from uuid import UUID

from sqlalchemy import Row, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from microservices.job_processor.errors import QuotaExceededError
from microservices.job_processor.limits import Limits, TierLimits
from microservices.job_processor.models import FINAL_STATUSES, Quota, QuotaUse, Run
from microservices.kernel.auth import Principal
from microservices.kernel.db import utc_now

SubjectKind = Literal["organization", "person"]
_SAID = {
    "running_runs": ("runs under way", "when one of them has ended"),
    "jobs_per_month": ("jobs this month", "with the next month"),
    "input_bytes_per_month": ("bytes of inputs this month", "with the next month"),
}


class Subject(NamedTuple):
    kind: SubjectKind
    id: UUID


class Amounts(NamedTuple):
    """Of what `Limits` limits."""

    running_runs: int
    jobs_per_month: int = 0
    input_bytes_per_month: int = 0


def list_subjects(caller: Principal, tier: TierLimits) -> Iterator[tuple[Subject, Limits]]:
    """Those whose quotas hold for the caller, in the one order in which their rows are locked."""
    user_id, organization_id = caller.person
    yield Subject("organization", organization_id), tier.organization
    yield Subject("person", user_id), tier.person


_CHARGE = text(
    """
    WITH used AS (
        INSERT INTO quota_uses (subject_kind, subject_id, month, jobs, input_bytes)
        SELECT kind, id, :month, :jobs, :input_bytes
        FROM unnest(CAST(:kinds AS text[]), CAST(:ids AS uuid[])) WITH ORDINALITY AS subject (kind, id, turn)
        ORDER BY turn
        ON CONFLICT ON CONSTRAINT pk_quota_uses DO UPDATE
        SET jobs = quota_uses.jobs + excluded.jobs, input_bytes = quota_uses.input_bytes + excluded.input_bytes
        RETURNING subject_kind, subject_id, jobs, input_bytes
    )
    SELECT subject_kind, jobs, input_bytes, updated_at IS NOT NULL AS is_set,
        running_runs AS most_running_runs, jobs_per_month AS most_jobs, input_bytes_per_month AS most_input_bytes
    FROM used LEFT JOIN quotas USING (subject_kind, subject_id)
    """
)


def charge_quotas(session: Session, caller: Principal, tier: TierLimits, begun: Amounts) -> None:
    """Count what the running transaction has begun (its runs are flushed), or refuse it.

    Nobody else of the organisation begins anything until the transaction has ended: let it be the last that it does.
    Raises `QuotaExceededError`.
    """
    subjects = list(list_subjects(caller, tier))
    charged = _charge(session, [subject for subject, _usual in subjects], begun)
    for subject, usual in subjects:
        row = charged[subject.kind]
        limits = Limits.model_construct(
            running_runs=row.most_running_runs,
            jobs_per_month=row.most_jobs,
            input_bytes_per_month=row.most_input_bytes,
        )
        _check_all(session, subject, limits if row.is_set else usual, Amounts(0, row.jobs, row.input_bytes), begun)


def _charge(session: Session, subjects: list[Subject], begun: Amounts) -> dict[str, Row[Any]]:
    """By kind: the month's use with this in it, and what an administrator has set. The rows of use are locked now."""
    given = {
        "kinds": [subject.kind for subject in subjects],
        "ids": [str(subject.id) for subject in subjects],
        "month": begin_month(),
        "jobs": begun.jobs_per_month,
        "input_bytes": begun.input_bytes_per_month,
    }
    return {row.subject_kind: row for row in session.execute(_CHARGE, given)}


def _check_all(session: Session, subject: Subject, limits: Limits, month: Amounts, begun: Amounts) -> None:
    """What runs is counted last, as others may have begun it until the row of use was ours."""
    if limits.running_runs is not None:
        month = month._replace(running_runs=count_running(session, subject))
    for name in Amounts._fields:
        _check(name, subject, getattr(limits, name), getattr(month, name), getattr(begun, name))


def _check(quota: str, subject: Subject, most: int | None, used: int, wanted: int) -> None:
    """`used`: with what is wanted in it. What was too much before, and is not wanted more of, is let be."""
    if most is None or used <= most or not wanted:
        return
    what, when = _SAID[quota]
    frees_at = None if quota == "running_runs" else end_month()
    whose = "You may" if subject.kind == "person" else "All of your organisation together may"
    never = wanted > most
    advice = "Ask an administrator for more." if never else f"It frees {when}; an administrator can allow more."
    facts = {
        "name": quota,
        "subject": subject.kind,
        "most": most,
        "used": used - wanted,
        "wanted": wanted,
        "frees_at": None if frees_at is None or never else frees_at.isoformat().replace("+00:00", "Z"),
    }
    retry_after_s = int((frees_at - utc_now()).total_seconds()) + 1 if frees_at else None
    detail = f"{whose} have {most:,} {what}; {used - wanted:,} are used, and this would add {wanted:,}. {advice}"
    raise QuotaExceededError(detail, facts, never=never, retry_after_s=retry_after_s)


def find_limits(session: Session, subject: Subject) -> Limits | None:
    """What an administrator has set; None: what the tier allows holds."""
    row = session.get(Quota, tuple(subject))
    return None if row is None else Limits.model_validate({name: getattr(row, name) for name in Limits.model_fields})


def count_running(session: Session, subject: Subject) -> int:
    column = Run.owner_id if subject.kind == "person" else Run.organization_id
    statement = select(func.count()).select_from(Run).where(column == subject.id, Run.status.not_in(FINAL_STATUSES))
    return session.scalar(statement) or 0


def count_use(session: Session, subject: Subject) -> Amounts:
    month = session.get(QuotaUse, (*subject, begin_month()))
    running = count_running(session, subject)
    return Amounts(running, month.jobs if month else 0, month.input_bytes if month else 0)


def set_limits(session: Session, subject: Subject, limits: Limits, by: UUID) -> None:
    values = {**limits.model_dump(), "updated_at": utc_now(), "updated_by": by}
    statement = insert(Quota).values(subject_kind=subject.kind, subject_id=subject.id, **values)
    session.execute(statement.on_conflict_do_update(constraint="pk_quotas", set_=values))


def begin_month() -> date:
    return utc_now().date().replace(day=1)


def end_month() -> datetime:
    """The first moment of the next month (UTC)."""
    first = begin_month()
    following = (
        first.replace(year=first.year + 1, month=1) if first.month == 12 else first.replace(month=first.month + 1)
    )
    return datetime.combine(following, time.min, UTC)
