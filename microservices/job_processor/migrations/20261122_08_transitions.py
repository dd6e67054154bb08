"""A run changes its status only as the table of states allows, whoever writes it (`logic.lifecycle.TRANSITIONS`)."""

from alembic import op

revision = "20261122_08"
down_revision = "20261122_07"
branch_labels = None
depends_on = None

# As the table stood then; when it changes, another migration replaces the function.
_ALLOWED = {
    "queued": ("submitting", "waiting_for_site", "failed", "cancelled"),
    "submitting": ("running", "waiting_for_site", "failed", "cancelled"),
    "waiting_for_site": ("submitting", "failed", "cancelled"),
    "running": ("collecting", "failed", "cancelled"),
    "collecting": ("completed", "failed", "cancelled"),
    "failed": ("queued",),
}


def upgrade() -> None:
    pairs = ", ".join(f"('{old}', '{new}')" for old, allowed in _ALLOWED.items() for new in allowed)
    op.execute(
        f"""
        CREATE FUNCTION refuse_illegal_transition() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF (OLD.status, NEW.status) NOT IN ({pairs}) THEN
                RAISE EXCEPTION 'a run that is % cannot become %', OLD.status, NEW.status
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'job_runs_transition';
            END IF;
            RETURN NEW;
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER job_runs_transition BEFORE UPDATE OF status ON job_runs FOR EACH ROW"
        " WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION refuse_illegal_transition()"
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER job_runs_transition ON job_runs")
    op.execute("DROP FUNCTION refuse_illegal_transition()")
