"""What can be counted on at a site."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261122_03"
down_revision = "20261122_02"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("imputation_services", sa.Column("capabilities", postgresql.JSONB()))


def downgrade() -> None:
    op.drop_column("imputation_services", "capabilities")
