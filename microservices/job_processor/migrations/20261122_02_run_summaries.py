"""How well runs were imputed, and how many sites went in."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261122_02"
down_revision = "20261122_01"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("job_inputs", sa.Column("variants", sa.BigInteger(), nullable=True))
    op.create_table(
        "run_summaries",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("external_job_id", sa.Text(), nullable=False),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("tally", postgresql.JSONB(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["job_runs.id"], name=op.f("fk_run_summaries_run_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "external_job_id", "filename", name=op.f("pk_run_summaries")),
    )


def downgrade() -> None:
    op.drop_table("run_summaries")
    op.drop_column("job_inputs", "variants")
