"""Where the sites of an input lie, and how far a run's results cover them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261122_30"
down_revision = "20261122_10"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("job_inputs", sa.Column("sites_per_mb", postgresql.JSONB(), nullable=True))
    op.add_column("job_runs", sa.Column("coverage", postgresql.JSONB(), nullable=True))


def downgrade() -> None:
    op.drop_column("job_runs", "coverage")
    op.drop_column("job_inputs", "sites_per_mb")
