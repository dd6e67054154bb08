"""Some runs go before others."""

import sqlalchemy as sa
from alembic import op

revision = "20261122_07"
down_revision = "20261122_06"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("job_runs", sa.Column("priority", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.create_check_constraint(op.f("ck_job_runs_priority"), "job_runs", "priority BETWEEN -1 AND 1")


def downgrade() -> None:
    op.drop_column("job_runs", "priority")
