"""Notifications and the inbox that fills them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from microservices.kernel.inbox import create_inbox_tables

revision = "20261122_01"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_inbox_tables(op)
    op.create_table(
        "notifications",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("data", postgresql.JSONB(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notifications")),
        sa.UniqueConstraint("event_id", name=op.f("uq_notifications_event_id")),
    )
    op.create_index("ix_notifications_owner", "notifications", ["organization_id", "owner_id", "created_at", "id"])
    op.create_index(
        "ix_notifications_unread", "notifications", ["owner_id"], postgresql_where=sa.text("read_at IS NULL")
    )


def downgrade() -> None:
    for table in ("notifications", "inbox_versions", "inbox"):
        op.drop_table(table)
