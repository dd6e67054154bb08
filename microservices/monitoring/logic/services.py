"""How our services are, from what the watch has kept."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy.orm import Session

from microservices.kernel.db import utc_now
from microservices.monitoring import queries
from microservices.monitoring.logic import measurements as measured
from microservices.monitoring.models import HealthCheck, Metric
from microservices.monitoring.schemas import OutboxState, ServiceStatus

_WINDOW = timedelta(hours=1)
# What a service told longer ago than this says nothing about now.
_CURRENT = timedelta(minutes=5)


def list_services(session: Session, names: Sequence[str]) -> list[ServiceStatus]:
    """One status for each of `names`, in their order."""
    queries.read_one_moment(session)
    now = utc_now()
    latencies = queries.list_latencies(session, now - _WINDOW)
    ready_since = queries.list_ready_since(session, names)
    rates = _rate_errors(queries.sum_increases(session, [measured.REQUESTS, measured.FAILURES], now - _WINDOW))
    metrics = queries.list_latest_metrics(session, now - _CURRENT)
    return [
        _describe(
            name,
            queries.find_latest_check(session, name),
            [metric for metric in metrics if metric.service == name],
            latency=latencies.get(name, (None, None)),
            ready_since=ready_since.get(name),
            error_rate=rates.get(name),
            now=now,
        )
        for name in names
    ]


def _rate_errors(increases: Mapping[tuple[str, str], float]) -> dict[str, float]:
    return {
        service: round(increases.get((service, measured.FAILURES), 0) / requests, 5)
        for (service, name), requests in increases.items()
        if name == measured.REQUESTS and requests > 0
    }


def _describe(
    name: str,
    check: HealthCheck | None,
    metrics: list[Metric],
    *,
    latency: tuple[float | None, float | None],
    ready_since: datetime | None,
    error_rate: float | None,
    now: datetime,
) -> ServiceStatus:
    down = check is None or check.state == "down"
    told = {} if down else {metric.name: metric.value for metric in metrics if not metric.label}
    started = datetime.fromtimestamp(told[measured.STARTED_AT], UTC) if measured.STARTED_AT in told else None
    return ServiceStatus.model_validate(
        {
            "name": name,
            "up": check is not None and check.state == "ready",
            "state": check.state if check else "unknown",
            "version": check.version if check else None,
            "latency_p50_ms": latency[0],
            "latency_p95_ms": latency[1],
            "error_rate": error_rate,
            "memory_bytes": told.get(measured.MEMORY),
            "started_at": started,
            "uptime_s": round((now - started).total_seconds(), 1) if started else None,
            "ready_since": ready_since,
            "checked_at": check.checked_at if check else None,
            "error": check.error if check else None,
            "dependencies": check.dependencies if check else {},
            "outbox": _list_outbox(metrics),
        }
    )


def _list_outbox(metrics: Iterable[Metric]) -> list[OutboxState]:
    """Kept in the service's database, so it is of interest also while the service is down."""
    values = {(metric.name, metric.label): metric.value for metric in metrics}
    return [
        OutboxState(
            subscriber=label, depth=int(depth), oldest_age_s=round(values.get((measured.OUTBOX_AGE, label), 0), 1)
        )
        for (name, label), depth in values.items()
        if name == measured.OUTBOX_DEPTH
    ]
