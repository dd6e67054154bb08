"""Keeping the past small, and telling from it how much of the time sites were available."""

from datetime import UTC, datetime, timedelta

from sqlalchemy.orm import Session

from microservices.contracts.registry import SiteAvailability
from microservices.kernel.db import Database
from microservices.service_registry.queries.history import (
    count_day,
    find_uncounted_days,
    forget_checks,
    sum_availability,
)

_AT_ONCE = 20_000
_SPANS = {"day": timedelta(days=1), "week": timedelta(days=7), "month": timedelta(days=30)}


def keep_history(database: Database, now: datetime, keep_checks: timedelta) -> None:
    """Count the days that are over; forget single checks after `keep_checks`. In many short transactions."""
    with database.transaction() as session:
        days = find_uncounted_days(session, now.astimezone(UTC).date())
    for day in days:
        with database.transaction() as session:
            count_day(session, day)
    forgotten = _AT_ONCE
    while forgotten == _AT_ONCE:
        with database.transaction() as session:
            forgotten = forget_checks(session, now - keep_checks, _AT_ONCE)


def measure_availability(session: Session, now: datetime) -> list[SiteAvailability]:
    shares: dict[str, dict[object, float | None]] = {}
    names = {}
    for span, length in _SPANS.items():
        rows = sum_availability(session, now - length)
        names = {row.id: row.name for row in rows}
        shares[span] = {row.id: row.available / row.watched if row.watched else None for row in rows}
    return [
        SiteAvailability(id=id, name=name, **{span: shares[span].get(id) for span in _SPANS})
        for id, name in names.items()
    ]
