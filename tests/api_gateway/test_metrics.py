"""What the gateway measures of itself, and who gets to see it."""

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import create_engine, text

from microservices.kernel.testing import TokenAuthority
from tests.api_gateway.stubs import EchoService
from tests.waiting import wait_until


def read_counts(gateway: str, authority: TokenAuthority) -> dict[tuple[str, str, str], float]:
    """(method, route, status) → requests so far."""
    answer = httpx.get(f"{gateway}/metrics", headers=authority.service("monitoring", "monitoring:read"))
    assert answer.status_code == 200
    samples = [s for family in text_string_to_metric_families(answer.text) for s in family.samples]
    assert {"process_resident_memory_bytes", "process_start_time_seconds"} <= {sample.name for sample in samples}
    counted = [sample for sample in samples if sample.name == "http_requests_total"]
    return {(s.labels["method"], s.labels["route"], s.labels["status"]): s.value for s in counted}


def test_requests_are_counted_by_service_and_outcome(
    http: httpx.Client, gateway: str, authority: TokenAuthority, echo: EchoService
) -> None:
    before = read_counts(gateway, authority)
    http.get("/api/v1/jobs")
    http.get("/api/v1/jobs/../nothing")
    http.get("/nowhere")
    http.get("/health")
    after = read_counts(gateway, authority)
    grown = {key: value - before.get(key, 0) for key, value in after.items() if value != before.get(key, 0)}
    grown = {key: value for key, value in grown.items() if key[1] not in ("/metrics", "/health")}
    assert grown == {("GET", "job_processor", "200"): 1, ("GET", "gateway", "404"): 2}


@pytest.mark.parametrize("path", ["/metrics", "/metrics/", "/metrics?x=1", "//metrics", "/%6detrics"])
def test_the_public_finds_no_metrics(gateway: str, http: httpx.Client, authority: TokenAuthority, path: str) -> None:
    others = [{}, authority.person(["admin"]), authority.service("file_manager", "events:write")]
    assert [httpx.get(f"{gateway}{path}", headers=headers).status_code for headers in others] == [404] * 3


def test_being_watched_leaves_no_rows_and_costs_no_limit(
    gateway: str, authority: TokenAuthority, gateway_database: str
) -> None:
    monitoring = authority.service("monitoring", "monitoring:read")
    first, second = (httpx.get(f"{gateway}/metrics", headers=monitoring).headers["ratelimit"] for _ in range(2))
    assert first.split(";")[1] == second.split(";")[1]
    httpx.get(f"{gateway}/health")
    httpx.get(f"{gateway}/api/v1/jobs", headers={"X-Request-ID": "after-the-probes"})
    engine = create_engine(gateway_database, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        last = text("SELECT count(*) FROM access_log WHERE request_id = 'after-the-probes'")
        wait_until(lambda: connection.scalar(last))
        probes = text("SELECT count(*) FROM access_log WHERE path IN ('/health', '/health/ready', '/metrics')")
        assert connection.scalar(probes) == 0
    engine.dispose()
