"""What people wish for beyond one job."""

from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import BigInteger, CheckConstraint, Index, Text, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from microservices.job_processor.models.base import Base, one_of

SUBJECT_KINDS = ("organization", "person")


class JobTemplate(Base):
    """What a person's jobs have in common. `settings` holds what is said, and nothing of what is left open."""

    __tablename__ = "job_templates"
    __table_args__ = (Index("ix_job_templates_owner", "organization_id", "owner_id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    organization_id: Mapped[UUID]
    owner_id: Mapped[UUID]
    name: Mapped[str]
    shared: Mapped[bool]
    """With everybody of the organisation, to use; only its owner changes it."""
    settings: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    updated_at: Mapped[datetime] = mapped_column(server_default=text("now()"))


class Quota(Base):
    """What an administrator has set for one person or organisation, in place of what their tier allows.

    None: as much as they like.
    """

    __tablename__ = "quotas"
    __table_args__ = (CheckConstraint(one_of("subject_kind", SUBJECT_KINDS), name="subject_kind"),)

    subject_kind: Mapped[str] = mapped_column(primary_key=True)
    subject_id: Mapped[UUID] = mapped_column(primary_key=True)
    running_runs: Mapped[int | None] = mapped_column(BigInteger)
    jobs_per_month: Mapped[int | None] = mapped_column(BigInteger)
    input_bytes_per_month: Mapped[int | None] = mapped_column(BigInteger)
    updated_at: Mapped[datetime]
    updated_by: Mapped[UUID]


class QuotaUse(Base):
    """What was used in a month (its first day, UTC); jobs that were deleted since count as well.

    Its row is locked by whoever makes a job, so that of two jobs at once each sees the other.
    """

    __tablename__ = "quota_uses"

    subject_kind: Mapped[str] = mapped_column(primary_key=True)
    subject_id: Mapped[UUID] = mapped_column(primary_key=True)
    month: Mapped[date] = mapped_column(primary_key=True)
    jobs: Mapped[int] = mapped_column(BigInteger)
    input_bytes: Mapped[int] = mapped_column(BigInteger)


class ResidencyDecision(Base):
    """Whether a run's data might leave for a site, as it was decided just before: kept also when the job is deleted."""

    __tablename__ = "residency_decisions"
    __table_args__ = (Index("ix_residency_decisions_job", "job_id", "id"),)

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    job_id: Mapped[UUID]
    run_id: Mapped[UUID]
    organization_id: Mapped[UUID]
    owner_id: Mapped[UUID]
    decided_at: Mapped[datetime]
    service_id: Mapped[UUID]
    site_name: Mapped[str]
    base_url: Mapped[str]
    country: Mapped[str]
    """Of the site at that moment; empty where the catalogue does not know it."""
    countries_allowed: Mapped[list[str]] = mapped_column(ARRAY(Text))
    is_allowed: Mapped[bool]
    reason: Mapped[str]
