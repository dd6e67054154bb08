"""What is measured of every HTTP service, in Prometheus' format."""

from functools import lru_cache

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, Counter, Gauge, Histogram, generate_latest

REQUESTS = Counter("http_requests_total", "Requests answered", ["method", "route", "status"])
REQUEST_SECONDS = Histogram(
    "http_request_duration_seconds",
    "Time to answer a request",
    ["method", "route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
OUTBOX_DEPTH = Gauge("outbox_depth", "Events not yet delivered", ["subscriber"])
OUTBOX_OLDEST_SECONDS = Gauge("outbox_oldest_age_seconds", "Age of the oldest event not yet delivered", ["subscriber"])


def observe_request(method: str, route: str, status: int, seconds: float) -> None:
    """`route` is the path's template (`/api/v1/jobs/{job_id}`), so that the number of series stays bounded."""
    _find_counter(method, route, status).inc()
    _find_histogram(method, route).observe(seconds)


# Finding a series by its labels costs more than counting in it.
@lru_cache(maxsize=4096)
def _find_counter(method: str, route: str, status: int) -> Counter:
    return REQUESTS.labels(method, route, str(status))


@lru_cache(maxsize=1024)
def _find_histogram(method: str, route: str) -> Histogram:
    return REQUEST_SECONDS.labels(method, route)


def render_metrics() -> tuple[bytes, str]:
    """(body, content type) of `/metrics`."""
    return generate_latest(REGISTRY), CONTENT_TYPE_LATEST
