"""At which site each attempt was made; and of a run, all its jobs at sites may be remembered for removal."""

import sqlalchemy as sa
from alembic import op

revision = "20261123_04"
down_revision = "20261123_03"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("run_attempts", sa.Column("service_id", sa.Uuid(), nullable=True))
    # Of a run that was moved nobody noted where its attempts were made.
    op.execute(
        "UPDATE run_attempts SET service_id = run.service_id FROM job_runs AS run WHERE run.id = run_id AND run.choice = 0"
    )
    op.drop_constraint(op.f("pk_site_removals"), "site_removals", type_="primary")
    op.create_primary_key(op.f("pk_site_removals"), "site_removals", ["id", "service_id", "external_job_id"])


def downgrade() -> None:
    op.execute(
        "DELETE FROM site_removals AS one USING site_removals AS other WHERE one.id = other.id AND one.ctid < other.ctid"
    )
    op.drop_constraint(op.f("pk_site_removals"), "site_removals", type_="primary")
    op.create_primary_key(op.f("pk_site_removals"), "site_removals", ["id"])
    op.drop_column("run_attempts", "service_id")
