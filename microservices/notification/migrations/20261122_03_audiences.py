"""Live events for people of a role, and figures of the moment, which no log has."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261122_03"
down_revision = "20261122_02"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("live_events", sa.Column("audience", sa.Text(), nullable=True))
    op.create_check_constraint(
        op.f("ck_live_events_owned_or_of_an_audience"), "live_events", "audience IS NULL OR owner_id IS NULL"
    )
    op.create_table(
        "live_figures",
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("audience", sa.Text(), nullable=False),
        sa.Column("data", postgresql.JSONB(), nullable=False),
        sa.Column("measured_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("type", name=op.f("pk_live_figures")),
    )


def downgrade() -> None:
    op.drop_table("live_figures")
    op.execute("DELETE FROM live_events WHERE audience IS NOT NULL")
    op.drop_column("live_events", "audience")
