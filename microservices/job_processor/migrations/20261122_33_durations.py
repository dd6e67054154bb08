"""How long the newest completed runs at a panel took is found without reading all runs."""

import sqlalchemy as sa
from alembic import op

revision = "20261122_33"
down_revision = "20261122_32"
branch_labels = None
depends_on = None


def upgrade() -> None:
    completed = sa.text("status = 'completed'")
    columns = ["service_id", "panel_id", "finished_at"]
    op.create_index("ix_job_runs_completed", "job_runs", columns, postgresql_where=completed)


def downgrade() -> None:
    op.drop_index("ix_job_runs_completed", "job_runs")
