"""Which kinds of sites there are is the contract's to say (`contracts.curation`), so that a new one needs no migration."""

from alembic import op

revision = "20261122_04"
down_revision = "20261122_03"
branch_labels = None
depends_on = None

_NAME = "ck_imputation_services_api_type"


def upgrade() -> None:
    op.drop_constraint(op.f(_NAME), "imputation_services", type_="check")


def downgrade() -> None:
    op.create_check_constraint(op.f(_NAME), "imputation_services", "api_type IN ('michigan', 'ga4gh')")
