"""How much people may have and do, and what they used."""

import sqlalchemy as sa
from alembic import op

revision = "20261122_10"
down_revision = "20261122_09"
branch_labels = None
depends_on = None

_AMOUNTS = ("running_runs", "jobs_per_month", "input_bytes_per_month")


def upgrade() -> None:
    op.create_table(
        "quotas",
        sa.Column("subject_kind", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=True) for name in _AMOUNTS),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_by", sa.Uuid(), nullable=False),
        sa.CheckConstraint("subject_kind IN ('organization', 'person')", name=op.f("ck_quotas_subject_kind")),
        sa.PrimaryKeyConstraint("subject_kind", "subject_id", name=op.f("pk_quotas")),
    )
    op.create_table(
        "quota_uses",
        sa.Column("subject_kind", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("jobs", sa.BigInteger(), nullable=False),
        sa.Column("input_bytes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("subject_kind", "subject_id", "month", name=op.f("pk_quota_uses")),
    )
    unfinished = sa.text("status NOT IN ('completed', 'failed', 'cancelled')")
    op.create_index("ix_job_runs_owner", "job_runs", ["organization_id", "owner_id"], postgresql_where=unfinished)


def downgrade() -> None:
    op.drop_index("ix_job_runs_owner", "job_runs")
    op.drop_table("quota_uses")
    op.drop_table("quotas")
