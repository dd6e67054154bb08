"""Reads and marks of notification_db as the person whose notifications they are, and the log of live events."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Select, delete, func, or_, select, true, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from microservices.contracts.notification import Figures
from microservices.kernel.auth import Principal
from microservices.kernel.db import utc_now
from microservices.notification.models import LiveEvent, LiveFigures, LiveLog, Notification


def _belongs_to(caller: Principal) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    user_id, organization_id = caller.person
    return Notification.organization_id == organization_id, Notification.owner_id == user_id


def select_notifications(caller: Principal, unread: bool | None) -> Select[Notification]:
    statement = select(Notification).where(*_belongs_to(caller))
    if unread is None:
        return statement
    return statement.where(Notification.read_at.is_(None) if unread else Notification.read_at.is_not(None))


def find_notification(session: Session, caller: Principal, notification_id: UUID) -> Notification | None:
    return session.scalar(select_notifications(caller, None).where(Notification.id == notification_id))


def mark_all_read(session: Session, caller: Principal) -> int:
    """How many were unread until now."""
    statement = update(Notification).where(*_belongs_to(caller), Notification.read_at.is_(None))
    return len(session.scalars(statement.values(read_at=utc_now()).returning(Notification.id)).all())


LIVE_CHANNEL = "live_events"


def append_live_events(session: Session, events: Sequence[LiveEvent]) -> None:
    """Number `events` and write them in the running transaction. From here to its end nobody else can append."""
    count = len(events)
    last_id = session.scalars(update(LiveLog).values(last_id=LiveLog.last_id + count).returning(LiveLog.last_id)).one()
    for event, number in zip(events, range(last_id - count + 1, last_id + 1), strict=True):
        event.id = number
    session.add_all(events)
    session.execute(select(func.pg_notify(LIVE_CHANNEL, "")))


def get_live_log(session: Session) -> LiveLog:
    return session.scalars(select(LiveLog)).one()


def list_live_events(session: Session, after: int, limit: int) -> Sequence[LiveEvent]:
    """Everybody's: for passing on to those whom each concerns."""
    return session.scalars(select(LiveEvent).where(LiveEvent.id > after).order_by(LiveEvent.id).limit(limit)).all()


def list_missed_events(
    session: Session, person: tuple[UUID, UUID], roles: Collection[str], after: int, up_to: int, limit: int
) -> Sequence[LiveEvent] | None:
    """What concerns `person` (user, organisation) with `roles`; None when some of it is not kept any more."""
    user_id, organization_id = person
    own = (LiveEvent.organization_id == organization_id) & (LiveEvent.owner_id == user_id)
    told = true() if "admin" in roles else or_(LiveEvent.audience.is_(None), LiveEvent.audience.in_(roles))
    shared = LiveEvent.owner_id.is_(None) & told
    statement = select(LiveEvent).where(LiveEvent.id > after, LiveEvent.id <= up_to, or_(own, shared))
    events = session.scalars(statement.order_by(LiveEvent.id).limit(limit)).all()
    # Read after the events: what is forgotten in between would be missing from them.
    return events if get_live_log(session).forgotten_id <= after else None


def put_figures(session: Session, type: str, figures: Figures) -> None:
    """In place of the earlier ones; later ones stay."""
    given = figures.model_dump()
    statement = insert(LiveFigures).values(type=type, **given)
    newer = LiveFigures.measured_at < statement.excluded.measured_at
    session.execute(statement.on_conflict_do_update(index_elements=["type"], set_=given, where=newer))
    session.execute(select(func.pg_notify(LIVE_CHANNEL, "")))


def list_figures(session: Session) -> Sequence[LiveFigures]:
    return session.scalars(select(LiveFigures)).all()


def forget_live_events(session: Session, before: datetime) -> int:
    """How many there were. The log's row is locked at the end only, so that writers hardly wait."""
    newest = session.scalar(select(func.max(LiveEvent.id)).where(LiveEvent.recorded_at < before))
    if newest is None:
        return 0
    forgotten = session.scalars(delete(LiveEvent).where(LiveEvent.id <= newest).returning(LiveEvent.id)).all()
    session.execute(update(LiveLog).values(forgotten_id=newest))
    return len(forgotten)
