"""One event may be told to many people."""

from alembic import op

revision = "20261122_04"
down_revision = "20261122_03"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_constraint("uq_notifications_event_id", "notifications")
    op.create_unique_constraint("uq_notifications_event_id_owner_id", "notifications", ["event_id", "owner_id"])


def downgrade() -> None:
    """Of an event that many were told, one keeps the telling: the constraint of before allows no more."""
    op.execute(
        "DELETE FROM notifications AS one USING notifications AS other"
        " WHERE one.event_id = other.event_id AND one.owner_id > other.owner_id"
    )
    op.drop_constraint("uq_notifications_event_id_owner_id", "notifications")
    op.create_unique_constraint("uq_notifications_event_id", "notifications", ["event_id"])
