"""Runs that wait go on as soon as what they wait for is there, not at their next try."""

from uuid import UUID

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from microservices.job_processor.models import FINAL_STATUSES, Run
from microservices.kernel.db import utc_now


def wake_runs(session: Session, owner_id: UUID, service_id: UUID) -> None:
    """The person has a new token for a site."""
    _wake(session, Run.owner_id == owner_id, Run.service_id == service_id)


def wake_site(session: Session, service_id: UUID) -> None:
    """The site answers again: whatever was put off there may go on."""
    _wake(session, Run.service_id == service_id, Run.setbacks > 0)


def _wake(session: Session, *which: ColumnElement[bool]) -> None:
    """Make unfinished runs due now.

    One that somebody is looking at, by what was true before, will be looked at once more: see `holding.put_off`.
    """
    waiting = *which, Run.status.not_in(FINAL_STATUSES)
    # In the order in which a cancel locks the runs of a job, so that the two never wait for one another.
    locked = session.scalars(select(Run.id).where(*waiting).order_by(Run.job_id, Run.position).with_for_update()).all()
    now = utc_now()
    session.execute(update(Run).where(Run.id.in_(locked)).values(next_action_at=now, setbacks=0, woken_at=now))
