"""Tables of file_management_db."""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from microservices.kernel.db import COLUMN_TYPES, new_metadata


class Base(DeclarativeBase):
    metadata = new_metadata()
    type_annotation_map = COLUMN_TYPES


class UploadedFile(Base):
    """A person's input. `size` in bytes; `object_id` is the name of its bytes in the storage."""

    __tablename__ = "uploaded_files"
    __table_args__ = (
        CheckConstraint("status IN ('uploaded', 'checking', 'ready', 'rejected')", name="status"),
        CheckConstraint("size > 0", name="size"),
        Index("ix_uploaded_files_owner", "organization_id", "owner_id", "created_at", "id"),
        Index("ix_uploaded_files_unchecked", "created_at", postgresql_where=text("status IN ('uploaded', 'checking')")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    organization_id: Mapped[UUID]
    owner_id: Mapped[UUID]
    object_id: Mapped[UUID] = mapped_column(unique=True)
    filename: Mapped[str]
    size: Mapped[int] = mapped_column(BigInteger)
    status: Mapped[str] = mapped_column(server_default="uploaded", default="uploaded")
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    checked_by: Mapped[int | None]
    """The process that checks it now (see `logic/presence.py`)."""
    check_attempts: Mapped[int] = mapped_column(server_default="0", default=0)
    check_after: Mapped[datetime] = mapped_column(server_default=text("now()"))
    facts: Mapped["FileMetadata"] = relationship(
        lazy="joined", innerjoin=True, cascade="all, delete-orphan", passive_deletes=True
    )


class FileMetadata(Base):
    """What is known about an upload's bytes: its SHA-256 at once, `qc` (`QualityRecord`) after the check."""

    __tablename__ = "file_metadata"

    file_id: Mapped[UUID] = mapped_column(ForeignKey(UploadedFile.id, ondelete="CASCADE"), primary_key=True)
    organization_id: Mapped[UUID]
    owner_id: Mapped[UUID]
    sha256: Mapped[str]
    qc: Mapped[dict[str, Any] | None]
    checked_at: Mapped[datetime | None]


class ResultFile(Base):
    """What a site made of an input, brought home by job_processor for the job's owner."""

    __tablename__ = "result_files"
    __table_args__ = (
        CheckConstraint("kind IN ('imputed_data', 'quality_report', 'log', 'summary', 'metadata')", name="kind"),
        UniqueConstraint("run_id", "filename"),
        Index("ix_result_files_job_id", "job_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    organization_id: Mapped[UUID]
    owner_id: Mapped[UUID]
    job_id: Mapped[UUID]
    run_id: Mapped[UUID]
    attempt: Mapped[int] = mapped_column(server_default="1", default=1)
    """Which submission of the run it came from: a run has results of one only."""
    object_id: Mapped[UUID] = mapped_column(unique=True)
    filename: Mapped[str]
    kind: Mapped[str]
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))


class InputLink(Base):
    """A link to an upload that a site was given to fetch a run's input: it ends with the run, whatever its expiry."""

    __tablename__ = "input_links"
    __table_args__ = (Index("ix_input_links_run_id", "run_id"), Index("ix_input_links_expires_at", "expires_at"))

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    organization_id: Mapped[UUID]
    owner_id: Mapped[UUID]
    file_id: Mapped[UUID] = mapped_column(ForeignKey(UploadedFile.id, ondelete="CASCADE"), index=True)
    run_id: Mapped[UUID]
    attempt: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class EndedRun(Base):
    """A run that has ended, up to which attempt: whoever was late in asking for its inputs gets no link any more."""

    __tablename__ = "ended_runs"

    run_id: Mapped[UUID] = mapped_column(primary_key=True)
    attempt: Mapped[int]
    ended_at: Mapped[datetime] = mapped_column(server_default=text("now()"), index=True)


class LooseObject(Base):
    """An object that no file stands for: yet (`written_by` is at it), or any more (nobody: it is to be removed)."""

    __tablename__ = "loose_objects"

    object_id: Mapped[UUID] = mapped_column(primary_key=True)
    organization_id: Mapped[UUID]
    owner_id: Mapped[UUID]
    written_by: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
