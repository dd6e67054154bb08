"""What is stored of every site beside what was told of it."""

from collections import defaultdict
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from microservices.kernel.inbox import inbox_versions
from microservices.service_registry.models import ReferencePanel

CURATOR = "django"
_PREFIX = "site/"


def read_told_versions(session: Session) -> dict[UUID, int]:
    """The newest version of each site that Django told of, deleted ones included."""
    subject = inbox_versions.c.subject
    told = sa.select(subject, inbox_versions.c.version).where(
        inbox_versions.c.source == CURATOR, subject.startswith(_PREFIX, autoescape=True)
    )
    return {UUID(name.removeprefix(_PREFIX)): version for name, version in session.execute(told)}


def group_panels(session: Session) -> dict[UUID, list[ReferencePanel]]:
    """All panels by their site."""
    panels: dict[UUID, list[ReferencePanel]] = defaultdict(list)
    for panel in session.scalars(sa.select(ReferencePanel)):
        panels[panel.service_id].append(panel)
    return panels
