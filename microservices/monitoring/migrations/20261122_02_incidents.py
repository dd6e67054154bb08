"""Times in which a service was not as it should be, and the outbox that tells of them."""

import sqlalchemy as sa
from alembic import op

from microservices.kernel.outbox import create_outbox_tables

revision = "20261122_02"
down_revision = "20261122_01"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "incidents",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("message", sa.Text(), nullable=False),
        sa.CheckConstraint("kind IN ('unready', 'down', 'restarted')", name=op.f("ck_incidents_kind_known")),
        sa.CheckConstraint("ended_at >= began_at", name=op.f("ck_incidents_ends_after_it_began")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incidents")),
    )
    op.create_index("ix_incidents_began_at", "incidents", ["began_at"])
    op.create_index("ix_incidents_open", "incidents", ["service"], postgresql_where=sa.text("ended_at IS NULL"))
    create_outbox_tables(op)


def downgrade() -> None:
    for table in ("outbox_versions", "outbox", "incidents"):
        op.drop_table(table)
