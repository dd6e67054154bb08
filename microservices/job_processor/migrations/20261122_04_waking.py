"""Runs are woken by what our other services tell."""

import sqlalchemy as sa
from alembic import op

from microservices.kernel.inbox import create_inbox_tables

revision = "20261122_04"
down_revision = "20261122_03"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_inbox_tables(op)
    op.add_column("job_runs", sa.Column("woken_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("job_runs", "woken_at")
    for table in ("inbox_versions", "inbox"):
        op.drop_table(table)
