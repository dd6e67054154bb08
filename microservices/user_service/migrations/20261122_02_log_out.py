"""Log-out: which log-ins were ended lately; and the outbox, for what others must know."""

import sqlalchemy as sa
from alembic import op

from microservices.kernel.outbox import create_outbox_tables

revision = "20261122_02"
down_revision = "20261122_01"
branch_labels = None
depends_on = None

_OLD = (
    "'registered', 'provisioned', 'logged_in', 'login_failed', 'refresh_reused', "
    "'credential_set', 'credential_deleted', 'credential_used'"
)
_ACTION_KNOWN = "ck_audit_logs_action_known"


def upgrade() -> None:
    ended = sa.text("revoked_at IS NOT NULL")
    op.create_index("ix_login_sessions_revoked_at", "login_sessions", ["revoked_at"], postgresql_where=ended)
    _allow_actions(f"{_OLD}, 'logged_out'")
    create_outbox_tables(op)


def _allow_actions(names: str) -> None:
    op.drop_constraint(op.f(_ACTION_KNOWN), "audit_logs")
    op.create_check_constraint(op.f(_ACTION_KNOWN), "audit_logs", f"action IN ({names})")


def downgrade() -> None:
    for table in ("outbox_versions", "outbox"):
        op.drop_table(table)
    op.execute("DELETE FROM audit_logs WHERE action = 'logged_out'")
    _allow_actions(_OLD)
    op.drop_index("ix_login_sessions_revoked_at", "login_sessions")
