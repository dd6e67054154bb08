"""What probes find, and the numbers that services tell."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "20261122_01"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "health_checks",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("service", sa.Text, nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("latency_ms", sa.Float),
        sa.Column("version", sa.Text),
        sa.Column("error", sa.Text),
        sa.Column("dependencies", JSONB, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_health_checks"),
        sa.CheckConstraint("state IN ('ready', 'unready', 'down')", name="ck_health_checks_state_known"),
    )
    op.create_index("ix_health_checks_service_checked_at", "health_checks", ["service", "checked_at"])
    op.create_index("ix_health_checks_checked_at", "health_checks", ["checked_at"])
    bad = sa.text("state <> 'ready'")
    op.create_index("ix_health_checks_bad", "health_checks", ["service", "checked_at"], postgresql_where=bad)
    op.create_table(
        "metrics",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("service", sa.Text, nullable=False),
        sa.Column("measured_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("value", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_metrics"),
    )
    op.create_index("ix_metrics_service_name_measured_at", "metrics", ["service", "name", "measured_at"])
    op.create_index("ix_metrics_measured_at", "metrics", ["measured_at"])


def downgrade() -> None:
    op.drop_table("metrics")
    op.drop_table("health_checks")
