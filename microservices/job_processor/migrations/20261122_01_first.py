"""Jobs, runs, attempts, collected files and their history."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from microservices.kernel.idempotency import create_idempotency_table
from microservices.kernel.outbox import create_outbox_tables

revision = "20261122_01"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_outbox_tables(op)
    create_idempotency_table(op)
    op.create_table(
        "imputation_jobs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("parameters", postgresql.JSONB(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "status IN ('queued', 'running', 'completed', 'partly_completed', 'failed', 'cancelled')",
            name=op.f("ck_imputation_jobs_status"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_imputation_jobs")),
    )
    op.create_index(
        "ix_imputation_jobs_owner", "imputation_jobs", ["organization_id", "owner_id", "created_at", "id"], unique=False
    )
    op.create_table(
        "job_inputs",
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("file_id", sa.Uuid(), nullable=False),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["job_id"], ["imputation_jobs.id"], name=op.f("fk_job_inputs_job_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("job_id", "position", name=op.f("pk_job_inputs")),
    )
    op.create_index(op.f("ix_job_inputs_file_id"), "job_inputs", ["file_id"], unique=False)
    op.create_table(
        "job_runs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("service_id", sa.Uuid(), nullable=False),
        sa.Column("panel_id", sa.Uuid(), nullable=False),
        sa.Column("panel_key", sa.Text(), nullable=False),
        sa.Column("recipe", postgresql.JSONB(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("progress", sa.Float(), nullable=False),
        sa.Column("external_job_id", sa.Text(), nullable=True),
        sa.Column("external_status", sa.Text(), nullable=True),
        sa.Column("queue_position", sa.Integer(), nullable=True),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("error", postgresql.JSONB(), nullable=True),
        sa.Column("results", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_action_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("setbacks", sa.Integer(), nullable=False),
        sa.Column("cancel_requested_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_owner", sa.Text(), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_epoch", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "status IN ('queued', 'submitting', 'waiting_for_site', 'running', 'collecting', 'completed', 'failed', 'cancelled')",
            name=op.f("ck_job_runs_status"),
        ),
        sa.CheckConstraint(
            "status NOT IN ('running', 'collecting', 'completed') OR external_job_id IS NOT NULL",
            name=op.f("ck_job_runs_submitted"),
        ),
        sa.CheckConstraint("progress >= 0 AND progress <= 100", name=op.f("ck_job_runs_progress")),
        sa.ForeignKeyConstraint(
            ["job_id"], ["imputation_jobs.id"], name=op.f("fk_job_runs_job_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job_runs")),
    )
    op.create_index(
        "ix_job_runs_due",
        "job_runs",
        ["next_action_at"],
        unique=False,
        postgresql_where=sa.text("status NOT IN ('completed', 'failed', 'cancelled')"),
    )
    op.create_index(op.f("ix_job_runs_job_id"), "job_runs", ["job_id"], unique=False)
    op.create_table(
        "job_status_updates",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=True),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("progress", sa.Float(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["job_id"], ["imputation_jobs.id"], name=op.f("fk_job_status_updates_job_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job_status_updates")),
    )
    op.create_index("ix_job_status_updates_job", "job_status_updates", ["job_id", "id"], unique=False)
    op.create_table(
        "collected_files",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("external_job_id", sa.Text(), nullable=False),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column("downloads", sa.Integer(), nullable=False),
        sa.Column("stored", postgresql.ARRAY(sa.Text()), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["run_id"], ["job_runs.id"], name=op.f("fk_collected_files_run_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run_id", "external_job_id", "filename", name=op.f("pk_collected_files")),
    )
    op.create_table(
        "run_attempts",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("mark", sa.Text(), nullable=False),
        sa.Column("credential_source", sa.Text(), nullable=False),
        sa.Column("body_bytes", sa.BigInteger(), nullable=False),
        sa.Column("lease_epoch", sa.BigInteger(), nullable=False),
        sa.Column("result_password", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("external_job_id", sa.Text(), nullable=True),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("outcome IN ('accepted', 'refused', 'not_sent')", name=op.f("ck_run_attempts_outcome")),
        sa.CheckConstraint(
            "outcome IS DISTINCT FROM 'accepted' OR external_job_id IS NOT NULL", name=op.f("ck_run_attempts_accepted")
        ),
        sa.ForeignKeyConstraint(["run_id"], ["job_runs.id"], name=op.f("fk_run_attempts_run_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "number", name=op.f("pk_run_attempts")),
        sa.UniqueConstraint("mark", name=op.f("uq_run_attempts_mark")),
    )
    op.create_index(
        "uq_run_attempts_live",
        "run_attempts",
        ["run_id"],
        unique=True,
        postgresql_where=sa.text("outcome IS NULL OR (outcome = 'accepted' AND retired_at IS NULL)"),
    )


def downgrade() -> None:
    for table in ("job_status_updates", "collected_files", "run_attempts", "job_runs", "job_inputs", "imputation_jobs"):
        op.drop_table(table)
    for table in ("outbox", "outbox_versions", "idempotency_keys"):
        op.drop_table(table)
