"""What is needed to know whether a submission that was not confirmed is at the site."""

import sqlalchemy as sa
from alembic import op

revision = "20261122_05"
down_revision = "20261122_04"
branch_labels = None
depends_on = None

_CONSTRAINT = "ck_run_attempts_outcome"
_ADDED = ("account", "sent_by", "deadline_at", "absent_since")


def upgrade() -> None:
    for name in _ADDED:
        kind = sa.DateTime(timezone=True) if name in ("deadline_at", "absent_since") else sa.Text()
        op.add_column("run_attempts", sa.Column(name, kind, nullable=True))
    _allow_outcomes("accepted", "refused", "not_sent", "absent", "unknown")


def downgrade() -> None:
    op.execute("UPDATE run_attempts SET outcome = 'not_sent' WHERE outcome IN ('absent', 'unknown')")
    _allow_outcomes("accepted", "refused", "not_sent")
    for name in _ADDED:
        op.drop_column("run_attempts", name)


def _allow_outcomes(*outcomes: str) -> None:
    op.drop_constraint(_CONSTRAINT, "run_attempts", type_="check")
    values = ", ".join(f"'{outcome}'" for outcome in outcomes)
    op.create_check_constraint(op.f(_CONSTRAINT), "run_attempts", f"outcome IN ({values})")
