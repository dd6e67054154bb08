"""Runs wait in turn for a place at their site."""

import sqlalchemy as sa
from alembic import op

revision = "20261122_06"
down_revision = "20261122_05"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("job_runs", sa.Column("waits_for", sa.Text(), nullable=True))
    unfinished = sa.text("status NOT IN ('completed', 'failed', 'cancelled')")
    op.create_index("ix_job_runs_site", "job_runs", ["service_id"], postgresql_where=unfinished)


def downgrade() -> None:
    op.drop_index("ix_job_runs_site", "job_runs")
    op.drop_column("job_runs", "waits_for")
