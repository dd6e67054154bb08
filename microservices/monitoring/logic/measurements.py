"""The few numbers that are kept of what a service tells at `/metrics`."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

REQUESTS, FAILURES = "http_requests", "http_failures"
MEMORY, STARTED_AT = "process_resident_memory_bytes", "process_start_time_seconds"
OUTBOX_DEPTH, OUTBOX_AGE = "outbox_depth", "outbox_oldest_age_seconds"

_PLAIN = {MEMORY, STARTED_AT}
_PER_SUBSCRIBER = {OUTBOX_DEPTH, OUTBOX_AGE}
_PROBED_ROUTES = {"/health", "/health/ready", "/metrics"}


@dataclass(frozen=True)
class Measurement:
    """`label`: the subscriber of an outbox, else empty."""

    name: str
    value: float
    label: str = ""


def read_measurements(exposition: str) -> list[Measurement]:
    """Raises `ValueError` for what is not in Prometheus' format. Requests are sums without those of probes."""
    samples = [sample for family in text_string_to_metric_families(exposition) for sample in family.samples]
    return [*_read_gauges(samples), *_count_requests(samples)]


def _read_gauges(samples: Iterable[Sample]) -> Iterator[Measurement]:
    for sample in samples:
        if sample.name in _PLAIN:
            yield Measurement(sample.name, sample.value)
        elif sample.name in _PER_SUBSCRIBER:
            yield Measurement(sample.name, sample.value, sample.labels.get("subscriber", ""))


def _count_requests(samples: Iterable[Sample]) -> Iterator[Measurement]:
    counted = [
        (sample.value, sample.labels.get("status", "").startswith("5"))
        for sample in samples
        if sample.name == "http_requests_total" and sample.labels.get("route") not in _PROBED_ROUTES
    ]
    yield Measurement(REQUESTS, sum(value for value, _ in counted))
    yield Measurement(FAILURES, sum(value for value, failed in counted if failed))
