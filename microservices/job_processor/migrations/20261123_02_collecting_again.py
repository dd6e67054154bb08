"""A retry collects again what its site still has: how often a file was asked for before that."""

import sqlalchemy as sa
from alembic import op

revision = "20261123_02"
down_revision = "20261123_01"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("collected_files", sa.Column("downloads_before", sa.Integer(), nullable=False, server_default="0"))


def downgrade() -> None:
    op.drop_column("collected_files", "downloads_before")
