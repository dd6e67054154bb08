"""The panel's recipe, for states that ran the first migration before it made this column."""

from alembic import op

revision = "20261122_03"
down_revision = "20261122_02"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE job_runs ADD COLUMN IF NOT EXISTS recipe jsonb")


def downgrade() -> None:
    """The first migration makes the column as well: it is taken away with the table."""
