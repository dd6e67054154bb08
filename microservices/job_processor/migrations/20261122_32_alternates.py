"""Runs that may go on at another site."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261122_32"
down_revision = "20261122_31"
branch_labels = None
depends_on = None

# As the table of states stood then (`logic.lifecycle.TRANSITIONS`); a run whose job was cancelled at one site waits
# for the next.
_ALLOWED = {
    "queued": ("submitting", "waiting_for_site", "failed", "cancelled"),
    "submitting": ("running", "waiting_for_site", "failed", "cancelled"),
    "waiting_for_site": ("submitting", "failed", "cancelled"),
    "running": ("collecting", "failed", "cancelled"),
    "collecting": ("completed", "failed", "cancelled"),
    "failed": ("queued",),
}


def upgrade() -> None:
    choices = postgresql.JSONB()
    op.add_column("job_runs", sa.Column("choices", choices, server_default=sa.text("'[]'"), nullable=False))
    op.add_column("job_runs", sa.Column("choice", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.add_column(
        "job_runs", sa.Column("failover_after_s", sa.Integer(), server_default=sa.text("900"), nullable=False)
    )
    for name in ("away_since", "move_requested_at"):
        op.add_column("job_runs", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    _allow({**_ALLOWED, "running": ("waiting_for_site", *_ALLOWED["running"])})


def downgrade() -> None:
    _allow(_ALLOWED)
    for name in ("move_requested_at", "away_since", "failover_after_s", "choice", "choices"):
        op.drop_column("job_runs", name)


def _allow(allowed: dict[str, tuple[str, ...]]) -> None:
    pairs = ", ".join(f"('{old}', '{new}')" for old, following in allowed.items() for new in following)
    op.execute(
        f"""
        CREATE OR REPLACE FUNCTION refuse_illegal_transition() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF (OLD.status, NEW.status) NOT IN ({pairs}) THEN
                RAISE EXCEPTION 'a run that is % cannot become %', OLD.status, NEW.status
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'job_runs_transition';
            END IF;
            RETURN NEW;
        END $$
        """
    )
