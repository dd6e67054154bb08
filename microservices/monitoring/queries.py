"""All that monitoring asks of its database."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, or_, select, text, update
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from microservices.monitoring.models import HealthCheck, Incident, Metric

# Counters start again at nothing when a service does: what is less than before counts as a whole.
_INCREASES = text("""
    SELECT service, name, sum(CASE WHEN value >= before THEN value - before ELSE value END) AS increase
    FROM (
        SELECT service, name, value, lag(value) OVER (PARTITION BY service, name, label ORDER BY measured_at) AS before
        FROM metrics WHERE measured_at > :since AND name = ANY(:names)
    ) AS steps
    WHERE before IS NOT NULL GROUP BY service, name
""")

# Each step is one look into an index, however long the history is.
_STREAKS = text("""
    SELECT given.name, good.checked_at
    FROM unnest(CAST(:names AS text[])) AS given (name)
    LEFT JOIN LATERAL (
        SELECT checked_at FROM health_checks
        WHERE service = given.name AND state <> 'ready' ORDER BY checked_at DESC LIMIT 1
    ) AS bad ON true
    JOIN LATERAL (
        SELECT checked_at FROM health_checks
        WHERE service = given.name AND checked_at > coalesce(bad.checked_at, '-infinity')
        ORDER BY checked_at LIMIT 1
    ) AS good ON true
""")


def insert_health_checks(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        session.execute(insert(HealthCheck), rows)


def insert_metrics(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        session.execute(insert(Metric), rows)


def delete_findings(session: Session, before: datetime) -> None:
    session.execute(delete(HealthCheck).where(HealthCheck.checked_at < before))
    session.execute(delete(Metric).where(Metric.measured_at < before))
    session.execute(delete(Incident).where(Incident.ended_at < before))


def close_incidents(session: Session, service: str, ended_at: datetime) -> bool:
    """Was one open?"""
    mine = (Incident.service == service, Incident.ended_at.is_(None))
    closed = session.scalars(
        update(Incident).where(*mine).values(ended_at=func.greatest(Incident.began_at, ended_at)).returning(Incident.id)
    )
    return bool(closed.all())


def close_left_incidents(session: Session, before: datetime) -> None:
    """Those of services at which nobody has looked since `before`: they ended, as far as is known, at the last look."""
    checks = select(func.max(HealthCheck.checked_at)).where(HealthCheck.service == Incident.service)
    last_look = func.coalesce(checks.scalar_subquery(), Incident.began_at)
    statement = update(Incident).where(Incident.ended_at.is_(None), last_look < before)
    session.execute(
        statement.values(ended_at=func.greatest(Incident.began_at, last_look)),
        execution_options={"synchronize_session": False},
    )


def has_incident_since(session: Session, service: str, moment: datetime) -> bool:
    """One that has ended after `moment`, or has not ended."""
    late = or_(Incident.ended_at.is_(None), Incident.ended_at >= moment)
    return session.scalar(select(Incident.id).where(Incident.service == service, late).limit(1)) is not None


def list_incidents(session: Session, since: datetime, limit: int) -> Sequence[Incident]:
    """The newest first; what is still on is among them however long ago it began."""
    recent = or_(Incident.began_at > since, Incident.ended_at.is_(None))
    newest_first = (Incident.began_at.desc(), Incident.id.desc())
    return session.scalars(select(Incident).where(recent).order_by(*newest_first).limit(limit)).all()


def find_latest_metric(session: Session, service: str, name: str, since: datetime) -> float | None:
    mine = (Metric.service == service, Metric.name == name, Metric.measured_at > since)
    return session.scalar(select(Metric.value).where(*mine).order_by(Metric.measured_at.desc()).limit(1))


def read_one_moment(session: Session) -> None:
    """All queries of this transaction see the same moment, whatever the watch writes meanwhile. Called before them."""
    session.connection(execution_options={"isolation_level": "REPEATABLE READ"})


def find_latest_check(session: Session, service: str) -> HealthCheck | None:
    newest = select(HealthCheck).where(HealthCheck.service == service).order_by(HealthCheck.checked_at.desc())
    return session.scalar(newest.limit(1))


def list_latencies(session: Session, since: datetime) -> dict[str, tuple[float, float]]:
    """Service → (p50, p95) of its answered probes, in ms."""
    p50, p95 = (func.percentile_cont(share).within_group(HealthCheck.latency_ms) for share in (0.5, 0.95))
    answered = HealthCheck.latency_ms.is_not(None)
    statement = select(HealthCheck.service, p50, p95).where(HealthCheck.checked_at > since, answered)
    return {name: (middle, high) for name, middle, high in session.execute(statement.group_by(HealthCheck.service))}


def list_ready_since(session: Session, names: Sequence[str]) -> dict[str, datetime]:
    """Service → the first probe of its present unbroken row of good ones."""
    found = session.execute(_STREAKS, {"names": list(names)})
    return {row.name: row.checked_at for row in found}


def list_latest_metrics(session: Session, since: datetime) -> Sequence[Metric]:
    """The newest value of each service, name and label."""
    key = (Metric.service, Metric.name, Metric.label)
    newest = select(Metric).where(Metric.measured_at > since).ext(distinct_on(*key))
    return session.scalars(newest.order_by(*key, Metric.measured_at.desc())).all()


def sum_increases(session: Session, names: Sequence[str], since: datetime) -> dict[tuple[str, str], float]:
    """(service, name) → by how much a counter has grown."""
    found = session.execute(_INCREASES, {"since": since, "names": list(names)})
    return {(service, name): increase for service, name, increase in found}
