"""A site's past: every check of the last weeks, every day that is over, and for how long it was available."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from microservices.kernel.pagination import Page, paginate
from microservices.service_registry.models import ImputationService, ServiceHealthDay, ServiceHealthLog
from microservices.service_registry.schemas import DayQuery, HealthDay, HealthItem, HistoryQuery

_log, _day = ServiceHealthLog, ServiceHealthDay

# A day is counted once, when it is over; two who count it at once come to the same.
_COUNT_DAY = sa.text("""
    INSERT INTO service_health_days AS known (service_id, day, checks, healthy, degraded, unhealthy, unknown,
        watched_s, available_s, response_min_ms, response_median_ms, response_max_ms)
    SELECT service_id, CAST(:day AS date), count(*),
        count(*) FILTER (WHERE health_status = 'healthy'), count(*) FILTER (WHERE health_status = 'degraded'),
        count(*) FILTER (WHERE health_status = 'unhealthy'), count(*) FILTER (WHERE health_status = 'unknown'),
        sum(covers_s), coalesce(sum(covers_s) FILTER (WHERE is_available), 0),
        min(response_time_ms), percentile_cont(0.5) WITHIN GROUP (ORDER BY response_time_ms), max(response_time_ms)
    FROM service_health_logs WHERE checked_at >= :start AND checked_at < :end
    GROUP BY service_id
    ON CONFLICT (service_id, day) DO UPDATE SET
        checks = excluded.checks, healthy = excluded.healthy, degraded = excluded.degraded,
        unhealthy = excluded.unhealthy, unknown = excluded.unknown, watched_s = excluded.watched_s,
        available_s = excluded.available_s, response_min_ms = excluded.response_min_ms,
        response_median_ms = excluded.response_median_ms, response_max_ms = excluded.response_max_ms
""")


def begin_day(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def list_history(session: Session, service_id: UUID, query: HistoryQuery) -> Page[HealthItem]:
    return paginate(
        session,
        sa.select(_log).where(_log.service_id == service_id),
        query,
        sortable={"checked_at": _log.checked_at},
        key=_log.id,
        to_item=HealthItem.model_validate,
    )


def list_days(session: Session, service_id: UUID, query: DayQuery) -> Page[HealthDay]:
    return paginate(
        session,
        sa.select(_day).where(_day.service_id == service_id),
        query,
        sortable={"day": _day.day},
        key=_day.id,
        to_item=HealthDay.model_validate,
    )


def find_uncounted_days(session: Session, today: date) -> list[date]:
    """The days before `today` with checks that stand in no day's row yet, oldest first."""
    newest = session.scalar(sa.select(sa.func.max(_day.day)))
    first = begin_day(newest + timedelta(days=1)) if newest else session.scalar(sa.select(sa.func.min(_log.checked_at)))
    if first is None:
        return []
    start = first.astimezone(UTC).date()
    return [start + timedelta(days=number) for number in range((today - start).days)]


def count_day(session: Session, day: date) -> None:
    bounds = {"day": day, "start": begin_day(day), "end": begin_day(day + timedelta(days=1))}
    session.execute(_COUNT_DAY, bounds)


def forget_checks(session: Session, before: datetime, at_most: int) -> int:
    """Of the oldest; how many were forgotten."""
    oldest = sa.select(_log.id).where(_log.checked_at < before).order_by(_log.checked_at).limit(at_most)
    return len(session.scalars(sa.delete(_log).where(_log.id.in_(oldest)).returning(_log.id)).all())


def sum_availability(session: Session, since: datetime) -> Sequence[sa.Row[Any]]:
    """(id, name, watched seconds, seconds available) of every site. Whole days come from the days' rows; the checks
    themselves are read for the rest, which is a day or two.
    """
    first_whole = (since + timedelta(days=1)).date()
    newest = session.scalar(sa.select(sa.func.max(_day.day)))
    rest_from = begin_day(newest + timedelta(days=1)) if newest and newest >= first_whole else since
    is_rest = (_log.checked_at >= rest_from) | (
        (_log.checked_at >= since) & (_log.checked_at < min(begin_day(first_whole), rest_from))
    )
    available = sa.case((_log.is_available, _log.covers_s), else_=0.0)
    checks = sa.select(_log.service_id, _log.covers_s.label("watched"), available.label("available")).where(is_rest)
    days = sa.select(_day.service_id, _day.watched_s, _day.available_s).where(_day.day >= first_whole)
    parts = sa.union_all(checks, days).subquery()
    watched, seen = (
        sa.func.coalesce(sa.func.sum(parts.c.watched), 0),
        sa.func.coalesce(sa.func.sum(parts.c.available), 0),
    )
    statement = (
        sa.select(ImputationService.id, ImputationService.name, watched.label("watched"), seen.label("available"))
        .outerjoin(parts, parts.c.service_id == ImputationService.id)
        .group_by(ImputationService.id)
        .order_by(ImputationService.name, ImputationService.id)
    )
    return session.execute(statement).all()
