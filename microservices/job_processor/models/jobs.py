"""Jobs, their inputs, their runs and their history."""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import BigInteger, CheckConstraint, Float, ForeignKey, Index, Integer, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from microservices.job_processor.models.attempts import Attempt
from microservices.job_processor.models.base import Base, one_of

RUN_STATUSES = (
    "queued",
    "submitting",
    "waiting_for_site",
    "running",
    "collecting",
    "completed",
    "failed",
    "cancelled",
)
JOB_STATUSES = ("queued", "running", "completed", "partly_completed", "failed", "cancelled")
# The rank of a run beside others that could go (`Run.priority`): the higher goes first.
PRIORITIES = {"low": -1, "normal": 0, "high": 1}
FINAL_STATUSES = frozenset({"completed", "failed", "cancelled"})


class Job(Base):
    """One researcher's wish: inputs, parameters, and one run for each target."""

    __tablename__ = "imputation_jobs"
    __table_args__ = (
        CheckConstraint(one_of("status", JOB_STATUSES), name="status"),
        Index("ix_imputation_jobs_owner", "organization_id", "owner_id", "created_at", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    organization_id: Mapped[UUID]
    owner_id: Mapped[UUID]
    name: Mapped[str]
    status: Mapped[str] = mapped_column(default="queued")
    parameters: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]

    runs: Mapped[list["Run"]] = relationship(
        back_populates="job", order_by="Run.position", cascade="all, delete-orphan", lazy="selectin"
    )
    inputs: Mapped[list["JobInput"]] = relationship(
        order_by="JobInput.position", cascade="all, delete-orphan", lazy="selectin"
    )


class JobInput(Base):
    """An input as it was when the job was made: its facts are kept, its bytes are file_manager's."""

    __tablename__ = "job_inputs"

    job_id: Mapped[UUID] = mapped_column(ForeignKey("imputation_jobs.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    file_id: Mapped[UUID] = mapped_column(index=True)
    filename: Mapped[str]
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str]
    variants: Mapped[int | None] = mapped_column(BigInteger)
    sites_per_mb: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    """By chromosome: how many of its sites lie in each million base pairs."""


class Run(Base):
    """One job at one target. `next_action_at`: when a sweep should look at it; the lease says who works on it now."""

    __tablename__ = "job_runs"
    __table_args__ = (
        CheckConstraint(one_of("status", RUN_STATUSES), name="status"),
        CheckConstraint("progress >= 0 AND progress <= 100", name="progress"),
        CheckConstraint("priority BETWEEN -1 AND 1", name="priority"),
        CheckConstraint(
            "status NOT IN ('running', 'collecting', 'completed') OR external_job_id IS NOT NULL", name="submitted"
        ),
        Index(
            "ix_job_runs_due",
            "next_action_at",
            postgresql_where=text("status NOT IN ('completed', 'failed', 'cancelled')"),
        ),
        Index(
            "ix_job_runs_owner",
            "organization_id",
            "owner_id",
            postgresql_where=text("status NOT IN ('completed', 'failed', 'cancelled')"),
        ),
        Index(
            "ix_job_runs_completed",
            "service_id",
            "panel_id",
            "finished_at",
            postgresql_where=text("status = 'completed'"),
        ),
        Index(
            "ix_job_runs_site",
            "service_id",
            postgresql_where=text("status NOT IN ('completed', 'failed', 'cancelled')"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    job_id: Mapped[UUID] = mapped_column(ForeignKey("imputation_jobs.id", ondelete="CASCADE"), index=True)
    position: Mapped[int]
    organization_id: Mapped[UUID]
    owner_id: Mapped[UUID]
    service_id: Mapped[UUID]
    panel_id: Mapped[UUID]
    panel_key: Mapped[str]
    recipe: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    """The panel's recipe as it was when the job was made, for a site that runs workflows."""
    priority: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    status: Mapped[str] = mapped_column(default="queued")
    progress: Mapped[float] = mapped_column(Float, default=0.0)
    external_job_id: Mapped[str | None]
    external_status: Mapped[str | None]
    queue_position: Mapped[int | None]
    message: Mapped[str] = mapped_column(default="")
    error: Mapped[dict[str, Any] | None]
    results: Mapped[int] = mapped_column(default=0)
    coverage: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    """How far the results cover the inputs (`logic.coverage.Coverage`); empty where that is not known."""
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    submitted_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    next_action_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    setbacks: Mapped[int] = mapped_column(Integer, default=0)
    """How often in a row the present step was put off; it stretches the next pause."""
    waits_for: Mapped[str | None]
    """Whose account at the site is full (`own`, `curated`, `none`), for a run that waits for a place there."""
    woken_at: Mapped[datetime | None]
    """When news came that may let it go on; empty since somebody began to look at it."""
    cancel_requested_at: Mapped[datetime | None]
    choices: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, default=list, server_default=text("'[]'"))
    """Where the run may go, first the target itself (`logic.creation`); empty where there is nothing to choose."""
    choice: Mapped[int] = mapped_column(Integer, default=0, server_default=text("0"))
    """Which of them it has."""
    failover_after_s: Mapped[int] = mapped_column(Integer, default=900, server_default=text("900"))
    away_since: Mapped[datetime | None]
    """Since when the site has been unavailable or full, without a break, for a run that is not there yet."""
    move_requested_at: Mapped[datetime | None]
    """When it was to leave the site for the next choice; for a job that is there, once its end is confirmed."""
    lease_owner: Mapped[str | None]
    lease_until: Mapped[datetime | None]
    lease_epoch: Mapped[int] = mapped_column(BigInteger, default=0)

    job: Mapped[Job] = relationship(back_populates="runs")
    attempts: Mapped[list["Attempt"]] = relationship(
        order_by="Attempt.number", cascade="all, delete-orphan", lazy="selectin"
    )


class StatusUpdate(Base):
    """The history of a job, for people."""

    __tablename__ = "job_status_updates"
    __table_args__ = (Index("ix_job_status_updates_job", "job_id", "id"),)

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    job_id: Mapped[UUID] = mapped_column(ForeignKey("imputation_jobs.id", ondelete="CASCADE"))
    run_id: Mapped[UUID | None]
    organization_id: Mapped[UUID]
    owner_id: Mapped[UUID]
    status: Mapped[str]
    progress: Mapped[float] = mapped_column(Float)
    message: Mapped[str]
    occurred_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
