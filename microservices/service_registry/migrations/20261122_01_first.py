"""Sites, panels, health history, accesses to credentials, inbox and outbox."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from microservices.kernel.inbox import create_inbox_tables
from microservices.kernel.outbox import create_outbox_tables

revision = "20261122_01"
down_revision = None
branch_labels = None
depends_on = None

_NOW = sa.func.now()
_TIME = sa.DateTime(timezone=True)
_STATUSES = "health_status IN ('healthy', 'degraded', 'unhealthy', 'unknown')"


def upgrade() -> None:
    _create_sites()
    _create_panels()
    _create_history()
    _create_accesses()
    create_inbox_tables(op)
    create_outbox_tables(op)


def _create_sites() -> None:
    op.create_table(
        "imputation_services",
        sa.Column("id", sa.Uuid, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("name", "service_type", "api_type", "base_url")),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("location", "country")),
        sa.Column("requires_auth", sa.Boolean, nullable=False),
        sa.Column("credential_encrypted", sa.Text),
        sa.Column("credential_shared", sa.Boolean, nullable=False),
        sa.Column("ca_pem", sa.Text),
        sa.Column("api_config", JSONB, nullable=False),
        sa.Column("is_active", sa.Boolean, nullable=False),
        sa.Column("max_file_size_mb", sa.Integer),
        sa.Column("supported_formats", ARRAY(sa.Text), nullable=False),
        sa.Column("min_samples", sa.Integer),
        sa.Column("max_samples", sa.Integer),
        sa.Column("health_status", sa.Text, nullable=False, server_default="unknown"),
        sa.Column("is_available", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("response_time_ms", sa.Float),
        sa.Column("error_message", sa.Text),
        *(sa.Column(name, _TIME) for name in ("last_health_check", "offline_since", "auto_deactivated_at")),
        sa.Column("next_check_at", _TIME, nullable=False, server_default=_NOW),
        sa.Column("claim_id", sa.Uuid),
        sa.Column("claimed_until", _TIME),
        *(sa.Column(name, _TIME, nullable=False, server_default=_NOW) for name in ("created_at", "updated_at")),
        sa.PrimaryKeyConstraint("id", name="pk_imputation_services"),
        sa.CheckConstraint("api_type IN ('michigan', 'ga4gh')", name="ck_imputation_services_api_type"),
        sa.CheckConstraint(_STATUSES, name="ck_imputation_services_health_status"),
    )
    active = sa.text("is_active")
    op.create_index("ix_imputation_services_due", "imputation_services", ["next_check_at"], postgresql_where=active)


def _create_panels() -> None:
    op.create_table(
        "reference_panels",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("service_id", sa.Uuid, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("panel_id", sa.Text, nullable=False),
        sa.Column("populations", ARRAY(sa.Text), nullable=False),
        sa.Column("build", sa.Text, nullable=False),
        sa.Column("samples_count", sa.BigInteger),
        sa.Column("variants_count", sa.BigInteger),
        sa.Column("is_active", sa.Boolean, nullable=False),
        sa.Column("recipe", JSONB),
        *(sa.Column(name, _TIME, nullable=False, server_default=_NOW) for name in ("created_at", "updated_at")),
        sa.PrimaryKeyConstraint("id", name="pk_reference_panels"),
        _belongs_to_site("fk_reference_panels_service_id"),
        sa.CheckConstraint("build IN ('hg19', 'hg38')", name="ck_reference_panels_build"),
    )
    op.create_index("ix_reference_panels_service_id", "reference_panels", ["service_id"])


def _create_history() -> None:
    op.create_table(
        "service_health_logs",
        sa.Column("id", sa.Uuid, nullable=False, server_default=sa.func.gen_random_uuid()),
        sa.Column("service_id", sa.Uuid, nullable=False),
        sa.Column("checked_at", _TIME, nullable=False),
        sa.Column("health_status", sa.Text, nullable=False),
        sa.Column("is_available", sa.Boolean, nullable=False),
        sa.Column("response_time_ms", sa.Float),
        sa.Column("message", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_service_health_logs"),
        _belongs_to_site("fk_service_health_logs_service_id"),
        sa.CheckConstraint(_STATUSES, name="ck_service_health_logs_health_status"),
    )
    op.create_index("ix_service_health_logs_history", "service_health_logs", ["service_id", "checked_at", "id"])
    op.create_index("ix_service_health_logs_checked_at", "service_health_logs", ["checked_at"])


def _create_accesses() -> None:
    op.create_table(
        "credential_accesses",
        sa.Column("id", sa.Uuid, nullable=False, server_default=sa.func.gen_random_uuid()),
        sa.Column("service_id", sa.Uuid, nullable=False),
        sa.Column("run_id", sa.Uuid, nullable=False),
        sa.Column("client_id", sa.Text, nullable=False),
        sa.Column("accessed_at", _TIME, nullable=False, server_default=_NOW),
        sa.PrimaryKeyConstraint("id", name="pk_credential_accesses"),
    )
    op.create_index("ix_credential_accesses_service_id", "credential_accesses", ["service_id"])


def _belongs_to_site(name: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["service_id"], ["imputation_services.id"], name=name, ondelete="CASCADE")


def downgrade() -> None:
    owned = ("credential_accesses", "service_health_logs", "reference_panels", "imputation_services")
    for table in (*owned, "inbox_versions", "inbox", "outbox_versions", "outbox"):
        op.drop_table(table)
