"""What a site says of itself, since when it answers again, and its history day by day."""

import sqlalchemy as sa
from alembic import op

revision = "20261122_02"
down_revision = "20261122_01"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("imputation_services", sa.Column("answering_since", sa.DateTime(timezone=True)))
    op.add_column("imputation_services", sa.Column("version", sa.Text))
    op.add_column("imputation_services", sa.Column("api_version", sa.Text))
    # What was found before this was counted stands for the usual five minutes each.
    op.add_column("service_health_logs", sa.Column("covers_s", sa.Float, nullable=False, server_default="300"))
    op.alter_column("service_health_logs", "covers_s", server_default=None)
    _create_days()


def _create_days() -> None:
    counts = ("checks", "healthy", "degraded", "unhealthy", "unknown")
    seconds = ("watched_s", "available_s")
    responses = ("response_min_ms", "response_median_ms", "response_max_ms")
    op.create_table(
        "service_health_days",
        sa.Column("id", sa.Uuid, nullable=False, server_default=sa.func.gen_random_uuid()),
        sa.Column("service_id", sa.Uuid, nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        *(sa.Column(name, sa.Integer, nullable=False) for name in counts),
        *(sa.Column(name, sa.Float, nullable=False) for name in seconds),
        *(sa.Column(name, sa.Float) for name in responses),
        sa.PrimaryKeyConstraint("id", name="pk_service_health_days"),
        sa.ForeignKeyConstraint(
            ["service_id"],
            ["imputation_services.id"],
            name="fk_service_health_days_service_id",
            ondelete="CASCADE",
        ),
        sa.UniqueConstraint("service_id", "day", name="uq_service_health_days_service_id_day"),
    )


def downgrade() -> None:
    op.drop_table("service_health_days")
    op.drop_column("service_health_logs", "covers_s")
    for name in ("api_version", "version", "answering_since"):
        op.drop_column("imputation_services", name)
