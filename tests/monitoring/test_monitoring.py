"""What operators are told about the platform."""

import socket
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import create_engine, text

from microservices.kernel.db import Database
from microservices.kernel.testing import TokenAuthority, serve_app
from microservices.monitoring.logic.watching import forget_findings
from microservices.monitoring.main import build
from microservices.monitoring.settings import Settings
from tests.monitoring.stub_service import StubService

NAMES = [
    "api_gateway",
    "user_service",
    "service_registry",
    "job_processor",
    "file_manager",
    "notification",
    "monitoring",
    "django",
]


def wait_for(read: Callable[[], Any], timeout_s: float = 60) -> Any:
    """The first result that is true."""
    deadline = time.monotonic() + timeout_s
    while not (found := read()):
        assert time.monotonic() < deadline, "It did not happen in time"
        time.sleep(0.03)
    return found


def read_service(http: httpx.Client, name: str, **expected: Any) -> dict[str, Any]:
    """The service's status once it is as expected."""

    def read() -> dict[str, Any] | None:
        items = {item["name"]: item for item in http.get("/api/v1/monitoring/services").json()["items"]}
        found: dict[str, Any] = items[name]
        return found if all(found[key] == value for key, value in expected.items()) else None

    status: dict[str, Any] = wait_for(read)
    return status


def test_a_service_that_works_is_up_with_its_figures(operator: httpx.Client) -> None:
    status = read_service(operator, "file_manager", up=True)
    assert (status["state"], status["version"], status["error"]) == ("ready", "1.2.3", None)
    assert 0 < status["latency_p50_ms"] <= status["latency_p95_ms"] < 1000
    assert status["memory_bytes"] == 50_000_000
    assert status["started_at"] == "2026-09-21T14:13:20Z"
    assert status["uptime_s"] > 0
    assert status["ready_since"] <= status["checked_at"]
    assert status["checked_at"].endswith("Z")
    assert status["dependencies"]["database"]["status"] == "ok"
    assert status["outbox"] == [{"subscriber": "notification", "depth": 3, "oldest_age_s": 12.5}]


def test_a_service_that_does_not_answer_is_down_and_why(operator: httpx.Client) -> None:
    status = read_service(operator, "notification", state="down")
    assert status["up"] is False
    assert "nothing answers at 127.0.0.1" in status["error"]
    assert (status["version"], status["latency_p50_ms"], status["ready_since"]) == (None, None, None)


def test_a_service_that_cannot_work_says_what_it_lacks(operator: httpx.Client, stub: StubService) -> None:
    read_service(operator, "file_manager", up=True)
    stub.dependencies = {"database": {"status": "down", "error": "refused"}, "redis": {"status": "ok"}}
    stub.ready = 503
    status = read_service(operator, "file_manager", state="unready")
    assert (status["up"], status["error"], status["ready_since"]) == (False, "database: refused", None)
    stub.ready = 200
    assert read_service(operator, "file_manager", up=True)["ready_since"] > status["checked_at"]


def test_the_error_rate_counts_answers_since_not_probes(operator: httpx.Client, stub: StubService) -> None:
    assert read_service(operator, "file_manager", up=True)["error_rate"] is None
    stub.good, stub.bad = 190, 10
    assert read_service(operator, "file_manager", error_rate=0.1)


def test_a_restarted_service_counts_from_nothing(operator: httpx.Client, stub: StubService) -> None:
    read_service(operator, "file_manager", up=True)
    stub.good, stub.bad = 15, 5
    assert read_service(operator, "file_manager", error_rate=0.25)


def test_broken_metrics_do_not_make_a_service_down(operator: httpx.Client, stub: StubService) -> None:
    stub.metrics = "{{{ no metrics"
    status = read_service(operator, "file_manager", up=True)
    assert status["version"] == "1.2.3"


def test_all_of_ours_are_listed_in_their_order(operator: httpx.Client) -> None:
    body = operator.get("/api/v1/monitoring/services").json()
    assert [item["name"] for item in body["items"]] == NAMES
    assert (body["total"], body["next_cursor"]) == (8, None)


def test_the_overview_counts_services_outboxes_and_sites(
    operator: httpx.Client, stub: StubService, authority: TokenAuthority
) -> None:
    stub.sites = [
        {"id": str(uuid4()), "name": f"site {n}", "is_available": n > 0, "health_status": health, "country": "ZA"}
        for n, health in enumerate(["unhealthy", "healthy", "healthy"])
    ]
    for name in ("file_manager", "service_registry", "user_service"):
        read_service(operator, name, up=True)
    overview = operator.get("/api/v1/monitoring/overview").json()
    # The stub is two of them, and the tests' authority is a user_service that answers.
    assert (overview["status"], overview["services_up"], overview["services_total"]) == ("degraded", 3, 8)
    assert overview["outbox"] == {"depth": 6, "oldest_age_s": 12.5}
    sites = overview["sites"]
    assert (sites["total"], sites["available"], sites["error"]) == (3, 2, None)
    assert sites["by_health"] == {"unhealthy": 1, "healthy": 2}
    assert [site["name"] for site in sites["items"]] == ["site 0", "site 1", "site 2"]
    assert stub.asked_by == {operator.headers["authorization"]}


@pytest.mark.parametrize("status", [403, 503])
def test_the_overview_survives_a_registry_that_refuses(operator: httpx.Client, stub: StubService, status: int) -> None:
    stub.sites_status = status
    answer = operator.get("/api/v1/monitoring/overview")
    assert answer.status_code == 200
    assert answer.json()["sites"]["total"] is None
    assert "service_registry" in answer.json()["sites"]["error"]


def test_only_operators_are_told(operator: httpx.Client, authority: TokenAuthority) -> None:
    for path in ("/api/v1/monitoring/overview", "/api/v1/monitoring/services"):
        assert httpx.get(f"{operator.base_url}{path}").status_code == 401
        assert httpx.get(f"{operator.base_url}{path}", headers=authority.person()).status_code == 403
        assert httpx.get(f"{operator.base_url}{path}", headers=authority.person(["admin"])).status_code == 200


def test_an_unknown_parameter_is_told(operator: httpx.Client) -> None:
    answer = operator.get("/api/v1/monitoring/services", params={"limitt": 5})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "limitt")


def test_a_silent_service_holds_up_nobody(
    make_settings: Callable[..., Settings], stub: StubService, stub_url: str, authority: TokenAuthority
) -> None:
    """It takes the connection and says nothing: its probe ends at its deadline, and the others are asked meanwhile."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent_url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        names = ("api_gateway_url", "job_processor_url", "notification_url", "django_url")
        settings = make_settings(**dict.fromkeys(names, silent_url), file_manager_url=stub_url, probe_timeout_s=0.5)
        with serve_app(build(settings)) as url, httpx.Client(base_url=url) as http:
            http.headers.update(authority.person(["operator"]))
            for name in ("api_gateway", "job_processor", "notification", "django"):
                assert read_service(http, name, state="down")["error"] == "does not answer in time"
        assert stub.probes > 0


def test_before_the_first_probe_nothing_is_claimed(
    make_settings: Callable[..., Settings], authority: TokenAuthority
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent_url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        settings = make_settings(file_manager_url=silent_url, probe_timeout_s=30)
        with serve_app(build(settings)) as url:
            answer = httpx.get(f"{url}/api/v1/monitoring/services", headers=authority.person(["operator"]))
    (status,) = [item for item in answer.json()["items"] if item["name"] == "file_manager"]
    assert (status["state"], status["up"], status["checked_at"]) == ("unknown", False, None)


def test_old_findings_are_forgotten(make_settings: Callable[..., Settings]) -> None:
    url = make_settings().database_url.get_secret_value()
    engine = create_engine(url)
    with engine.begin() as connection:
        for table, column in (("health_checks", "checked_at"), ("metrics", "measured_at")):
            extra, value = (
                ("state, dependencies", "'ready', '{}'")
                if table == "health_checks"
                else (
                    "name, label, value",
                    "'outbox_depth', '', 1",
                )
            )
            for age in ("8 days", "6 days"):
                connection.execute(
                    text(
                        f"INSERT INTO {table} (service, {column}, {extra}) "
                        f"VALUES ('django', now() - interval '{age}', {value})"
                    )
                )
    database = Database(url)
    forget_findings(database, keep_days=7)
    database.dispose()
    with engine.connect() as connection:
        counts = [connection.scalar(text(f"SELECT count(*) FROM {table}")) for table in ("health_checks", "metrics")]
    engine.dispose()
    assert counts == [1, 1]
