"""Runs that have ended, for whoever asks late for links to their inputs."""

import sqlalchemy as sa
from alembic import op

revision = "20261122_04"
down_revision = "20261122_03"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "ended_runs",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_ended_runs")),
    )
    op.create_index("ix_ended_runs_ended_at", "ended_runs", ["ended_at"])


def downgrade() -> None:
    op.drop_table("ended_runs")
