"""The second factor: its secret, its recovery codes, and what the audit log tells of it."""

import sqlalchemy as sa
from alembic import op

revision = "20261122_04"
down_revision = "20261122_03"
branch_labels = None
depends_on = None

_OLD = (
    "'registered', 'provisioned', 'logged_in', 'login_failed', 'refresh_reused', "
    "'credential_set', 'credential_deleted', 'credential_used', 'logged_out'"
)
_NEW = "'mfa_enabled', 'mfa_disabled', 'mfa_reset', 'recovery_codes_made', 'recovery_code_used', 'proof_failed'"
_ACTION_KNOWN = "ck_audit_logs_action_known"


def upgrade() -> None:
    op.create_table(
        "second_factors",
        sa.Column("user_id", sa.Uuid, nullable=False),
        sa.Column("secret", sa.String, nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True)),
        sa.Column("last_step", sa.BigInteger),
        sa.Column("wrong_codes", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.Column("wrong_since", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("user_id", name="pk_second_factors"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_second_factors_user_id", ondelete="CASCADE"),
    )
    op.create_table(
        "recovery_codes",
        sa.Column("user_id", sa.Uuid, nullable=False),
        sa.Column("code_hash", sa.String, nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("user_id", "code_hash", name="pk_recovery_codes"),
        sa.ForeignKeyConstraint(
            ["user_id"], ["second_factors.user_id"], name="fk_recovery_codes_user_id", ondelete="CASCADE"
        ),
    )
    _allow_actions(f"{_OLD}, {_NEW}")


def _allow_actions(names: str) -> None:
    op.drop_constraint(op.f(_ACTION_KNOWN), "audit_logs")
    op.create_check_constraint(op.f(_ACTION_KNOWN), "audit_logs", f"action IN ({names})")


def downgrade() -> None:
    op.execute(f"DELETE FROM audit_logs WHERE action IN ({_NEW})")  # noqa: S608  (a constant)
    _allow_actions(_OLD)
    for table in ("recovery_codes", "second_factors"):
        op.drop_table(table)
