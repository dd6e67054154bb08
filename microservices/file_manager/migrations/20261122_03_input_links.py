"""Links that sites are given to fetch inputs by themselves, and what is told of the runs that they are for."""

import sqlalchemy as sa
from alembic import op

from microservices.kernel.inbox import create_inbox_tables

revision = "20261122_03"
down_revision = "20261122_02"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_inbox_tables(op)
    op.create_table(
        "input_links",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("file_id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_input_links")),
        sa.ForeignKeyConstraint(
            ["file_id"], ["uploaded_files.id"], ondelete="CASCADE", name=op.f("fk_input_links_file_id")
        ),
    )
    for column in ("file_id", "run_id", "expires_at"):
        op.create_index(f"ix_input_links_{column}", "input_links", [column])


def downgrade() -> None:
    for table in ("input_links", "inbox_versions", "inbox"):
        op.drop_table(table)
