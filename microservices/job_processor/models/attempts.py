"""What became of a run at its site: submissions, and what came back."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Text, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from microservices.job_processor.models.base import Base, one_of

# `absent`: the site surely never had it; `unknown`: that cannot be found out, and a person has been asked.
OUTCOMES = ("accepted", "refused", "not_sent", "absent", "unknown")


class Attempt(Base):
    """A submission, committed before its first byte leaves. `outcome` is empty while nobody knows what became of it."""

    __tablename__ = "run_attempts"
    __table_args__ = (
        CheckConstraint(one_of("outcome", OUTCOMES), name="outcome"),
        CheckConstraint("outcome IS DISTINCT FROM 'accepted' OR external_job_id IS NOT NULL", name="accepted"),
        # At most one submission of a run may be open or accepted: a second job at a site is impossible here.
        Index(
            "uq_run_attempts_live",
            "run_id",
            unique=True,
            postgresql_where=text("outcome IS NULL OR (outcome = 'accepted' AND retired_at IS NULL)"),
        ),
    )

    run_id: Mapped[UUID] = mapped_column(ForeignKey("job_runs.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    mark: Mapped[str] = mapped_column(unique=True)
    service_id: Mapped[UUID | None]
    """The site; empty for old ones of runs that were moved."""
    credential_source: Mapped[str]
    body_bytes: Mapped[int] = mapped_column(BigInteger)
    lease_epoch: Mapped[int] = mapped_column(BigInteger)
    result_password: Mapped[str]
    """Encrypted; the site encrypts its results with it."""
    account: Mapped[str | None]
    """Encrypted; which account at the site it is (`logic.identity`): only that one's list tells of this submission."""
    sent_by: Mapped[str | None]
    """The process that sends it (`logic.processes`)."""
    started_at: Mapped[datetime]
    deadline_at: Mapped[datetime | None]
    """When the connection is over at the latest."""
    ended_at: Mapped[datetime | None]
    absent_since: Mapped[datetime | None]
    """When the first listing began that did not show it, after the connection was over."""
    outcome: Mapped[str | None]
    external_job_id: Mapped[str | None]
    restarts: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    """How often the site was asked to begin the job anew that it had given up; counted before it is asked."""
    retired_at: Mapped[datetime | None]
    """When what the accepted job could give was had or lost, so that a retry may submit again."""


class CollectedFile(Base):
    """A file that a site offers for a run: how often it was asked for (sites count), and whether it is home."""

    __tablename__ = "collected_files"

    run_id: Mapped[UUID] = mapped_column(ForeignKey("job_runs.id", ondelete="CASCADE"), primary_key=True)
    external_job_id: Mapped[str] = mapped_column(primary_key=True)
    filename: Mapped[str] = mapped_column(primary_key=True)
    downloads: Mapped[int] = mapped_column(default=0)
    downloads_before: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    """How many of them were made before the run was last retried: each retry may ask anew."""
    stored: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    """The names of the checked files that came out of it; empty until they are all stored."""
    error: Mapped[str | None]


class RunSummary(Base):
    """What one `*.info.gz` file of a run's results says of its sites (`logic.accuracy.Tally`)."""

    __tablename__ = "run_summaries"

    run_id: Mapped[UUID] = mapped_column(ForeignKey("job_runs.id", ondelete="CASCADE"), primary_key=True)
    external_job_id: Mapped[str] = mapped_column(primary_key=True)
    filename: Mapped[str] = mapped_column(primary_key=True)
    organization_id: Mapped[UUID]
    owner_id: Mapped[UUID]
    tally: Mapped[dict[str, Any]]


class SiteRemoval(Base):
    """A job that a deleted run (`id`) has left at a site, until the site was asked to remove it."""

    __tablename__ = "site_removals"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    service_id: Mapped[UUID] = mapped_column(primary_key=True)
    external_job_id: Mapped[str] = mapped_column(primary_key=True)
    organization_id: Mapped[UUID]
    owner_id: Mapped[UUID]
    credential_source: Mapped[str]
    asked_at: Mapped[datetime]
