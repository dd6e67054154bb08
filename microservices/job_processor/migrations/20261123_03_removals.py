"""Jobs of deleted runs that their sites are to remove."""

import sqlalchemy as sa
from alembic import op

revision = "20261123_03"
down_revision = "20261123_02"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "site_removals",
        *(sa.Column(name, sa.Uuid(), nullable=False) for name in ("id", "organization_id", "owner_id", "service_id")),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("credential_source", "external_job_id")),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_site_removals")),
    )


def downgrade() -> None:
    op.drop_table("site_removals")
