"""A platform with one service down."""

from typing import Any

from microservices.monitoring.schemas import IncidentView, Overview, ServiceStatus
from tests.e2e.exhibits.catalogue import SITES
from tests.e2e.exhibits.shapes import before, shape

_FIGURES = {"latency_p50_ms": 16.4, "latency_p95_ms": 43.3, "error_rate": 0.0, "memory_bytes": 131_000_000}
_TIMES = {"started_at": before(3_000), "uptime_s": 180_000.0, "ready_since": before(3_000)}
_NOTHING_WAITS: dict[str, Any] = {"dependencies": {}, "outbox": []}


def show_service(name: str) -> Any:
    state = {"name": name, "up": True, "state": "ready", "version": "0.1.0", "checked_at": before(0)}
    return shape(ServiceStatus, state, _FIGURES, _TIMES, _NOTHING_WAITS)


def show_dead_service(name: str) -> Any:
    state = {"name": name, "up": False, "state": "down", "error": "It does not answer.", "checked_at": before(0)}
    return shape(ServiceStatus, state, _NOTHING_WAITS)


def show_incident(service: str, kind: str, began: float, ended: float | None, message: str) -> Any:
    times = {"began_at": before(began), "ended_at": None if ended is None else before(ended)}
    return shape(IncidentView, {"service": service, "kind": kind, "message": message}, times)


OVERVIEW = shape(
    Overview,
    {"status": "degraded", "services_up": 7, "services_total": 8, "outbox": {"depth": 3, "oldest_age_s": 4.0}},
    {
        "services": [
            *map(show_service, ("api_gateway", "user_service", "service_registry", "job_processor")),
            show_dead_service("file_manager"),
            *map(show_service, ("notification", "monitoring", "django")),
        ],
        "incidents": [
            show_incident("file_manager", "down", 1, None, "It does not answer."),
            show_incident("django", "restarted", 90, 90, "A new process answers."),
            show_incident("notification", "unready", 240, 239.7, "Its database does not answer."),
        ],
        "measured_at": before(0),
    },
    {"sites": {"total": 3, "available": 2, "by_health": {}, "items": SITES, "error": None}},
)
