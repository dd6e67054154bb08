"""How often a site was asked to begin a job anew that it had given up."""

import sqlalchemy as sa
from alembic import op

revision = "20261123_01"
down_revision = "20261122_33"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("run_attempts", sa.Column("restarts", sa.Integer(), nullable=False, server_default="0"))


def downgrade() -> None:
    op.drop_column("run_attempts", "restarts")
