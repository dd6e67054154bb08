"""The first tables of the authorisation server, its roles and what they may do"""

from datetime import datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "20261122_01"
down_revision = None
branch_labels = None
depends_on = None

ROLES = {
    "researcher": ("Uploads files, submits jobs and downloads results.", ["catalogue:read", "files:own", "jobs:own"]),
    "curator": ("Keeps sites and panels.", ["catalogue:read", "catalogue:write"]),
    "operator": ("Watches over the platform.", ["catalogue:read", "monitoring:read", "sites:probe"]),
    "admin": (
        "May do everything.",
        [
            *("accounts:write", "audit:read", "catalogue:read", "catalogue:write", "files:own", "jobs:own"),
            *("monitoring:read", "sites:probe"),
        ],
    ),
}


def upgrade() -> None:
    _create_people()
    _create_logins()
    _create_site_credentials()
    _create_audit_logs()
    _seed_roles()


def _time(name: str, *, nullable: bool = False, now: bool = False) -> sa.Column[datetime]:
    default = sa.func.now() if now else None
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable, server_default=default)


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String, nullable=nullable)


def _foreign(name: str, table: str, target: str, *, cascade: bool = True) -> sa.ForeignKeyConstraint:
    ondelete = "CASCADE" if cascade else None
    return sa.ForeignKeyConstraint([name], [target], name=f"fk_{table}_{name}", ondelete=ondelete)


def _create_people() -> None:
    op.create_table(
        "organizations",
        sa.Column("id", sa.Uuid, nullable=False),
        _text("name"),
        _text("name_key"),
        sa.Column("is_personal", sa.Boolean, nullable=False),
        _time("created_at", now=True),
        sa.PrimaryKeyConstraint("id", name="pk_organizations"),
    )
    named = sa.text("NOT is_personal")
    op.create_index("uq_organizations_name_key", "organizations", ["name_key"], unique=True, postgresql_where=named)
    op.create_table(
        "users",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("organization_id", sa.Uuid, nullable=False),
        _text("email"),
        _time("email_verified_at", nullable=True),
        _text("password_hash"),
        _text("tier"),
        sa.Column("is_active", sa.Boolean, nullable=False, server_default=sa.true()),
        _time("created_at", now=True),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        _foreign("organization_id", "users", "organizations.id", cascade=False),
    )
    op.create_index("uq_users_email", "users", ["email"], unique=True)
    op.create_index("ix_users_organization_id", "users", ["organization_id"])
    op.create_table(
        "user_profiles",
        sa.Column("user_id", sa.Uuid, nullable=False),
        _text("full_name"),
        _text("affiliation", nullable=True),
        _time("updated_at", now=True),
        sa.PrimaryKeyConstraint("user_id", name="pk_user_profiles"),
        _foreign("user_id", "user_profiles", "users.id"),
    )


def _create_logins() -> None:
    op.create_table(
        "login_sessions",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("user_id", sa.Uuid, nullable=False),
        _time("created_at"),
        _time("ends_at"),
        _time("revoked_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_login_sessions"),
        _foreign("user_id", "login_sessions", "users.id"),
    )
    op.create_index("ix_login_sessions_user_id", "login_sessions", ["user_id"])
    op.create_table(
        "refresh_tokens",
        _text("token_hash"),
        sa.Column("session_id", sa.Uuid, nullable=False),
        _time("created_at"),
        _time("expires_at"),
        _time("used_at", nullable=True),
        sa.PrimaryKeyConstraint("token_hash", name="pk_refresh_tokens"),
        _foreign("session_id", "refresh_tokens", "login_sessions.id"),
    )
    op.create_index("ix_refresh_tokens_session_id", "refresh_tokens", ["session_id"])
    op.create_table(
        "signing_keys",
        _text("kid"),
        _text("private_key"),
        sa.Column("public_jwk", JSONB, nullable=False),
        _time("created_at", now=True),
        _time("signs_from"),
        _time("published_until", nullable=True),
        sa.PrimaryKeyConstraint("kid", name="pk_signing_keys"),
    )


def _create_site_credentials() -> None:
    op.create_table(
        "site_credentials",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("organization_id", sa.Uuid, nullable=False),
        sa.Column("owner_id", sa.Uuid, nullable=False),
        sa.Column("service_id", sa.Uuid, nullable=False),
        _text("credential"),
        _time("set_at"),
        sa.PrimaryKeyConstraint("id", name="pk_site_credentials"),
        _foreign("organization_id", "site_credentials", "organizations.id", cascade=False),
        _foreign("owner_id", "site_credentials", "users.id"),
    )
    op.create_index("uq_site_credentials_owner_service", "site_credentials", ["owner_id", "service_id"], unique=True)


def _create_audit_logs() -> None:
    op.create_table(
        "audit_logs",
        sa.Column("id", sa.Uuid, nullable=False),
        _time("occurred_at", now=True),
        _text("action"),
        _text("actor"),
        sa.Column("organization_id", sa.Uuid),
        sa.Column("owner_id", sa.Uuid),
        _text("request_id"),
        _text("address"),
        sa.Column("details", JSONB, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_logs"),
        sa.CheckConstraint(
            "action IN ('registered', 'provisioned', 'logged_in', 'login_failed', 'refresh_reused',"
            " 'credential_set', 'credential_deleted', 'credential_used')",
            name=op.f("ck_audit_logs_action_known"),
        ),
    )
    op.create_index("ix_audit_logs_occurred_at", "audit_logs", ["occurred_at"])
    op.create_index("ix_audit_logs_owner_id_occurred_at", "audit_logs", ["owner_id", "occurred_at"])


def _seed_roles() -> None:
    roles = op.create_table(
        "roles", _text("name"), _text("description"), sa.PrimaryKeyConstraint("name", name="pk_roles")
    )
    permissions = op.create_table(
        "permissions",
        _text("role"),
        _text("name"),
        sa.PrimaryKeyConstraint("role", "name", name="pk_permissions"),
        _foreign("role", "permissions", "roles.name"),
    )
    op.create_table(
        "user_roles",
        sa.Column("user_id", sa.Uuid, nullable=False),
        _text("role"),
        sa.PrimaryKeyConstraint("user_id", "role", name="pk_user_roles"),
        _foreign("user_id", "user_roles", "users.id"),
        _foreign("role", "user_roles", "roles.name", cascade=False),
    )
    op.bulk_insert(roles, [{"name": name, "description": text} for name, (text, _) in ROLES.items()])
    held = [{"role": role, "name": name} for role, (_, names) in ROLES.items() for name in names]
    op.bulk_insert(permissions, held)


def downgrade() -> None:
    for table in ("user_roles", "permissions", "audit_logs", "site_credentials", "signing_keys", "refresh_tokens"):
        op.drop_table(table)
    for table in ("login_sessions", "user_profiles", "users", "organizations", "roles"):
        op.drop_table(table)
