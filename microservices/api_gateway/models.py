"""Tables of `api_gateway_db`."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import BigInteger, CheckConstraint, DateTime, Float, Identity, Integer, SmallInteger, Text, func
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from microservices.kernel.db import new_metadata


class Base(DeclarativeBase):
    metadata = new_metadata()


class RateLimitTier(Base):
    """How much the callers of one tier may ask. `requests` is null where there is no limit."""

    __tablename__ = "rate_limit_tiers"
    __table_args__ = (
        CheckConstraint("requests > 0", name="requests_positive"),
        CheckConstraint("window_s > 0", name="window_positive"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    name: Mapped[str] = mapped_column(Text, unique=True)
    requests: Mapped[int | None] = mapped_column(Integer)
    window_s: Mapped[int] = mapped_column(Integer)
    description: Mapped[str] = mapped_column(Text, server_default="")


class AccessLogEntry(Base):
    """One answered request, without its query: signatures and tokens travel there.

    Numbered instead of a UUID, because rows come by the thousand and nobody refers to one.
    """

    __tablename__ = "access_log"
    __table_args__ = (CheckConstraint("outcome IN ('completed', 'client_gone', 'cut')", name="outcome_known"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now(), index=True)
    request_id: Mapped[str] = mapped_column(Text, index=True)
    method: Mapped[str] = mapped_column(Text)
    path: Mapped[str] = mapped_column(Text)
    upstream: Mapped[str | None] = mapped_column(Text)
    status: Mapped[int] = mapped_column(SmallInteger)
    outcome: Mapped[str] = mapped_column(Text)
    duration_ms: Mapped[float] = mapped_column(Float)
    bytes_in: Mapped[int] = mapped_column(BigInteger)
    bytes_out: Mapped[int] = mapped_column(BigInteger)
    subject: Mapped[str | None] = mapped_column(Text)
    organization_id: Mapped[UUID | None] = mapped_column()
    address: Mapped[str] = mapped_column(Text)
