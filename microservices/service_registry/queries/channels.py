"""What registry processes tell one another through PostgreSQL when a transaction commits."""

import sqlalchemy as sa
from sqlalchemy.orm import Session

SITE_DUE = "site_due"
SITE_CHECKED = "site_checked"
SERVICES_CHANGED = "services_changed"
PANELS_CHANGED = "panels_changed"


def ring(session: Session, *channels: str) -> None:
    """Tell every registry process, this one too, when the transaction commits."""
    for channel in channels:
        session.execute(sa.select(sa.func.pg_notify(channel, "")))
