"""Rate limit tiers, with the ones that every installation has, and the access log."""

import sqlalchemy as sa
from alembic import op

revision = "20261122_01"
down_revision = None
branch_labels = None
depends_on = None

TIERS = [
    ("local", None, "The accounts that a local platform is started with: no limit."),
    ("development", 1000, "Whoever registers; on a local platform also callers without a token, by address."),
    ("standard", 100, "Production, ordinary accounts."),
    ("extended", 200, "Production, accounts that need more."),
    ("anonymous", 100, "Production, callers without a token, by address."),
]


def upgrade() -> None:
    tiers = op.create_table(
        "rate_limit_tiers",
        sa.Column("id", sa.Uuid, server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("requests", sa.Integer),
        sa.Column("window_s", sa.Integer, nullable=False),
        sa.Column("description", sa.Text, server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_rate_limit_tiers"),
        sa.UniqueConstraint("name", name="uq_rate_limit_tiers_name"),
        sa.CheckConstraint("requests > 0", name="ck_rate_limit_tiers_requests_positive"),
        sa.CheckConstraint("window_s > 0", name="ck_rate_limit_tiers_window_positive"),
    )
    op.bulk_insert(
        tiers,
        [
            {"name": name, "requests": requests, "window_s": 3600, "description": description}
            for name, requests, description in TIERS
        ],
    )
    _create_access_log()


def _create_access_log() -> None:
    op.create_table(
        "access_log",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.Column("request_id", sa.Text, nullable=False),
        sa.Column("method", sa.Text, nullable=False),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("upstream", sa.Text),
        sa.Column("status", sa.SmallInteger, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("duration_ms", sa.Float, nullable=False),
        sa.Column("bytes_in", sa.BigInteger, nullable=False),
        sa.Column("bytes_out", sa.BigInteger, nullable=False),
        sa.Column("subject", sa.Text),
        sa.Column("organization_id", sa.Uuid),
        sa.Column("address", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_access_log"),
        sa.CheckConstraint("outcome IN ('completed', 'client_gone', 'cut')", name="ck_access_log_outcome_known"),
    )
    op.create_index("ix_access_log_at", "access_log", ["at"])
    op.create_index("ix_access_log_request_id", "access_log", ["request_id"])


def downgrade() -> None:
    op.drop_table("access_log")
    op.drop_table("rate_limit_tiers")
