"""Reads and marks of notification_db, always as the person whose notifications they are."""

from uuid import UUID

from sqlalchemy import ColumnElement, Select, select, update
from sqlalchemy.orm import Session

from microservices.kernel.auth import Principal
from microservices.kernel.db import utc_now
from microservices.notification.models import Notification


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
