"""The log of live events."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261122_02"
down_revision = "20261122_01"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "live_events",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=True),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("data", postgresql.JSONB(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "recorded_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.CheckConstraint(
            "(organization_id IS NULL) = (owner_id IS NULL)", name=op.f("ck_live_events_owned_or_everybodys")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_live_events")),
    )
    op.create_index("ix_live_events_owner", "live_events", ["organization_id", "owner_id", "id"])
    op.create_index(op.f("ix_live_events_recorded_at"), "live_events", ["recorded_at"])
    op.create_table(
        "live_log",
        sa.Column("is_only", sa.Boolean(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("last_id", sa.BigInteger(), nullable=False),
        sa.Column("forgotten_id", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("is_only", name=op.f("ck_live_log_one_row")),
        sa.PrimaryKeyConstraint("is_only", name=op.f("pk_live_log")),
    )
    op.execute("INSERT INTO live_log VALUES (true, left(md5(gen_random_uuid()::text), 8), 0, 0)")


def downgrade() -> None:
    for table in ("live_log", "live_events"):
        op.drop_table(table)
