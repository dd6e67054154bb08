"""Tables of notification_db."""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import DateTime, Index, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from microservices.kernel.db import new_metadata


class Base(DeclarativeBase):
    metadata = new_metadata()
    type_annotation_map = {  # noqa: RUF012  (SQLAlchemy's own way to configure a base)
        datetime: DateTime(timezone=True),
        str: Text,
        dict[str, Any]: JSONB,
        UUID: Uuid,
    }


class Notification(Base):
    """Something a person should know; `data` holds the ids it is about."""

    __tablename__ = "notifications"
    __table_args__ = (
        Index("ix_notifications_owner", "organization_id", "owner_id", "created_at", "id"),
        Index("ix_notifications_unread", "owner_id", postgresql_where=text("read_at IS NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    event_id: Mapped[UUID] = mapped_column(unique=True)
    organization_id: Mapped[UUID]
    owner_id: Mapped[UUID]
    type: Mapped[str]
    title: Mapped[str]
    message: Mapped[str]
    data: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    read_at: Mapped[datetime | None]
