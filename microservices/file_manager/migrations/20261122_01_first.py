"""Uploads with their metadata, results, and objects that no file stands for."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from microservices.kernel.idempotency import create_idempotency_table
from microservices.kernel.outbox import create_outbox_tables

revision = "20261122_01"
down_revision = None
branch_labels = None
depends_on = None

OWNED = (
    sa.Column("organization_id", sa.Uuid(), nullable=False),
    sa.Column("owner_id", sa.Uuid(), nullable=False),
)
CREATED = sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False)


def upgrade() -> None:
    create_outbox_tables(op)
    create_idempotency_table(op)
    create_uploads()
    create_results()
    op.create_table(
        "loose_objects",
        sa.Column("object_id", sa.Uuid(), nullable=False),
        *(column._copy() for column in OWNED),
        sa.Column("written_by", sa.Integer(), nullable=True),
        CREATED._copy(),
        sa.PrimaryKeyConstraint("object_id", name=op.f("pk_loose_objects")),
    )


def create_uploads() -> None:
    op.create_table(
        "uploaded_files",
        sa.Column("id", sa.Uuid(), nullable=False),
        *(column._copy() for column in OWNED),
        sa.Column("object_id", sa.Uuid(), nullable=False),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Text(), server_default="uploaded", nullable=False),
        CREATED._copy(),
        sa.Column("checked_by", sa.Integer(), nullable=True),
        sa.Column("check_attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("check_after", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "status IN ('uploaded', 'checking', 'ready', 'rejected')", name=op.f("ck_uploaded_files_status")
        ),
        sa.CheckConstraint("size > 0", name=op.f("ck_uploaded_files_size")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_uploaded_files")),
        sa.UniqueConstraint("object_id", name=op.f("uq_uploaded_files_object_id")),
    )
    op.create_index("ix_uploaded_files_owner", "uploaded_files", ["organization_id", "owner_id", "created_at", "id"])
    unchecked = sa.text("status IN ('uploaded', 'checking')")
    op.create_index("ix_uploaded_files_unchecked", "uploaded_files", ["created_at"], postgresql_where=unchecked)
    op.create_table(
        "file_metadata",
        sa.Column("file_id", sa.Uuid(), nullable=False),
        *(column._copy() for column in OWNED),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("qc", postgresql.JSONB(), nullable=True),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("file_id", name=op.f("pk_file_metadata")),
        sa.ForeignKeyConstraint(
            ["file_id"], ["uploaded_files.id"], ondelete="CASCADE", name=op.f("fk_file_metadata_file_id")
        ),
    )


def create_results() -> None:
    op.create_table(
        "result_files",
        sa.Column("id", sa.Uuid(), nullable=False),
        *(column._copy() for column in OWNED),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("object_id", sa.Uuid(), nullable=False),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        CREATED._copy(),
        sa.CheckConstraint(
            "kind IN ('imputed_data', 'quality_report', 'log', 'summary', 'metadata')",
            name=op.f("ck_result_files_kind"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_result_files")),
        sa.UniqueConstraint("object_id", name=op.f("uq_result_files_object_id")),
        sa.UniqueConstraint("run_id", "filename", name=op.f("uq_result_files_run_id_filename")),
    )
    op.create_index("ix_result_files_job_id", "result_files", ["job_id"])


def downgrade() -> None:
    owned = ("loose_objects", "result_files", "file_metadata", "uploaded_files")
    for table in (*owned, "idempotency_keys", "outbox_versions", "outbox"):
        op.drop_table(table)
