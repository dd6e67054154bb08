"""The tier of Django admin's pages"""

import sqlalchemy as sa
from alembic import op

revision = "20261122_02"
down_revision = "20261122_01"
branch_labels = None
depends_on = None

_NAME = "admin_pages"
_DESCRIPTION = "Pages of Django admin, by address, apart from other requests; its log-in page is as any other."


def upgrade() -> None:
    statement = sa.text(
        "INSERT INTO rate_limit_tiers (name, requests, window_s, description)"
        " VALUES (:name, 3600, 3600, :description) ON CONFLICT (name) DO NOTHING"
    )
    op.execute(statement.bindparams(name=_NAME, description=_DESCRIPTION))


def downgrade() -> None:
    op.execute(sa.text("DELETE FROM rate_limit_tiers WHERE name = :name").bindparams(name=_NAME))
