"""Refresh tokens whose answer was lost: what their successor is made from, so that it can be given once more."""

import sqlalchemy as sa
from alembic import op

revision = "20261122_03"
down_revision = "20261122_02"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("refresh_tokens", sa.Column("successor_seed", sa.Text))


def downgrade() -> None:
    op.drop_column("refresh_tokens", "successor_seed")
