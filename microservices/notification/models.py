"""Tables of notification_db."""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import BigInteger, CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from microservices.kernel.db import COLUMN_TYPES, new_metadata


class Base(DeclarativeBase):
    metadata = new_metadata()
    type_annotation_map = COLUMN_TYPES


class Notification(Base):
    """Something a person should know; `data` holds the ids it is about."""

    __tablename__ = "notifications"
    __table_args__ = (
        UniqueConstraint("event_id", "owner_id"),
        Index("ix_notifications_owner", "organization_id", "owner_id", "created_at", "id"),
        Index("ix_notifications_unread", "owner_id", postgresql_where=text("read_at IS NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    event_id: Mapped[UUID]
    organization_id: Mapped[UUID]
    owner_id: Mapped[UUID]
    type: Mapped[str]
    title: Mapped[str]
    message: Mapped[str]
    data: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    read_at: Mapped[datetime | None]


class LiveEvent(Base):
    """What connected people are told, numbered in the order in which it becomes visible.

    Without an owner it is everybody's, or that of the people with one role (`audience`) and of administrators. It has a
    number instead of a UUID, because the order is the point.
    """

    __tablename__ = "live_events"
    __table_args__ = (
        CheckConstraint("(organization_id IS NULL) = (owner_id IS NULL)", name="owned_or_everybodys"),
        CheckConstraint("audience IS NULL OR owner_id IS NULL", name="owned_or_of_an_audience"),
        Index("ix_live_events_owner", "organization_id", "owner_id", "id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    organization_id: Mapped[UUID | None]
    owner_id: Mapped[UUID | None]
    audience: Mapped[str | None]
    type: Mapped[str]
    subject: Mapped[str]
    data: Mapped[dict[str, Any]]
    occurred_at: Mapped[datetime]
    recorded_at: Mapped[datetime] = mapped_column(server_default=text("clock_timestamp()"), index=True)


class LiveFigures(Base):
    """The latest figures of one type: one row, written again and again."""

    __tablename__ = "live_figures"

    type: Mapped[str] = mapped_column(primary_key=True)
    audience: Mapped[str]
    data: Mapped[dict[str, Any]]
    measured_at: Mapped[datetime]


class LiveLog(Base):
    """The log's one row. Its lock makes one writer at a time; `last_id` has no gaps, since it rolls back too.

    `name` tells this log from one of another installation; events up to `forgotten_id` are no longer kept.
    """

    __tablename__ = "live_log"
    __table_args__ = (CheckConstraint("is_only", name="one_row"),)

    is_only: Mapped[bool] = mapped_column(primary_key=True, default=True)
    name: Mapped[str]
    last_id: Mapped[int] = mapped_column(BigInteger)
    forgotten_id: Mapped[int] = mapped_column(BigInteger)
