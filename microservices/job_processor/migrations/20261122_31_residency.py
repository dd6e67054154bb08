"""Decisions on where data may go."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261122_31"
down_revision = "20261122_30"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "residency_decisions",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        *(sa.Column(name, sa.Uuid(), nullable=False) for name in ("job_id", "run_id", "organization_id", "owner_id")),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("service_id", sa.Uuid(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("site_name", "base_url", "country")),
        sa.Column("countries_allowed", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("is_allowed", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_residency_decisions")),
    )
    op.create_index("ix_residency_decisions_job", "residency_decisions", ["job_id", "id"])


def downgrade() -> None:
    op.drop_table("residency_decisions")
