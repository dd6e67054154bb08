"""Tables of `monitoring_db`. Rows are numbered: they come by the thousand, and nobody refers to one."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, DateTime, Float, Identity, Index, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from microservices.contracts.monitoring import ServiceState
from microservices.kernel.db import new_metadata


class Base(DeclarativeBase):
    metadata = new_metadata()


class HealthCheck(Base):
    """One probe of one service. `latency_ms` is null when it did not answer."""

    __tablename__ = "health_checks"
    __table_args__ = (
        CheckConstraint("state IN ('ready', 'unready', 'down')", name="state_known"),
        Index("ix_health_checks_service_checked_at", "service", "checked_at"),
        Index("ix_health_checks_checked_at", "checked_at"),
        Index("ix_health_checks_bad", "service", "checked_at", postgresql_where=text("state <> 'ready'")),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    service: Mapped[str] = mapped_column(Text)
    checked_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    state: Mapped[ServiceState] = mapped_column(Text)
    latency_ms: Mapped[float | None] = mapped_column(Float)
    version: Mapped[str | None] = mapped_column(Text)
    error: Mapped[str | None] = mapped_column(Text)
    dependencies: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)


class Incident(Base):
    """A time in which a service was not ready, still on while `ended_at` is null; or the moment of a new process.

    `restarted` is only what nobody saw: a service that was seen away is `down`, whatever process comes back.
    """

    __tablename__ = "incidents"
    __table_args__ = (
        CheckConstraint("kind IN ('unready', 'down', 'restarted')", name="kind_known"),
        CheckConstraint("ended_at >= began_at", name="ends_after_it_began"),
        Index("ix_incidents_began_at", "began_at"),
        Index("ix_incidents_open", "service", postgresql_where=text("ended_at IS NULL")),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    service: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    began_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    message: Mapped[str] = mapped_column(Text)


class Metric(Base):
    """One number that a service told at `/metrics`. `label`: the subscriber of an outbox, else empty."""

    __tablename__ = "metrics"
    __table_args__ = (
        Index("ix_metrics_service_name_measured_at", "service", "name", "measured_at"),
        Index("ix_metrics_measured_at", "measured_at"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    service: Mapped[str] = mapped_column(Text)
    measured_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    name: Mapped[str] = mapped_column(Text)
    label: Mapped[str] = mapped_column(Text, default="")
    value: Mapped[float] = mapped_column(Float)
