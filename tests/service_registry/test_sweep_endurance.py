"""The sweep outlives what goes wrong around it, and shares its work with other processes."""

import resource
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg2
import pytest

from imputehub.local.postgresql import PostgresqlServer
from microservices.backends import registry as backends
from tests.service_registry.conftest import StartRegistry
from tests.waiting import wait_until


def test_the_sweep_and_its_alarm_survive_a_database_that_goes_away(
    start_registry: StartRegistry, postgresql: PostgresqlServer
) -> None:
    registry = start_registry()
    registry.wait_for_check(registry.store(registry.describe_site()))
    name = registry.engine.url.database
    registry.engine.dispose()
    admin = psycopg2.connect(postgresql.admin_dsn)
    admin.autocommit = True
    cursor = admin.cursor()
    cursor.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
    cursor.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
    wait_until(lambda: registry.get("/services").status_code >= 500, "the database is away")
    cursor.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
    admin.close()
    wait_until(lambda: registry.get("/services").status_code == 200, "the database is back")
    site_id = registry.store(registry.describe_site())
    assert registry.wait_for_check(site_id)["health_status"] == "healthy"


def test_a_bug_in_an_adapter_is_a_finding_and_ends_nothing(
    start_registry: StartRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken:
        def __init__(self, *_arguments: Any) -> None: ...

        async def probe(self) -> None:
            raise KeyError("name")

    monkeypatch.setitem(backends.ADAPTERS, "ga4gh", Broken)
    registry = start_registry()
    broken = registry.wait_for_check(registry.store(registry.describe_site(api_type="ga4gh")))
    assert broken["health_status"] == "unhealthy"
    assert "KeyError" in broken["error_message"]
    assert registry.wait_for_check(registry.store(registry.describe_site()))["health_status"] == "healthy"


def test_two_processes_on_one_database_probe_each_site_once(
    start_registry: StartRegistry, new_database: Callable[[], str]
) -> None:
    url = new_database()
    first, second = start_registry(url), start_registry(url)
    sites = [first.store(first.describe_site()) for _ in range(40)]
    for site_id in sites:
        second.wait_for_check(site_id)
    assert [first.sites.hits[site_id] for site_id in sites] == [1] * 40
    forced = second.check(sites[0], ("operator",), force=True)
    assert forced.json()["cached"] is False
    assert first.sites.hits[sites[0]] == 2


def test_a_claim_of_a_process_that_died_holds_until_it_lapses(start_registry: StartRegistry) -> None:
    registry = start_registry()
    site_id = registry.store(registry.describe_site())
    first = registry.wait_for_check(site_id)["last_health_check"]
    lapses_at = datetime.now(UTC) + timedelta(seconds=1)
    abandon = """UPDATE imputation_services SET next_check_at = now(), claim_id = gen_random_uuid(),
        claimed_until = :lapses_at WHERE id = :id"""
    registry.execute(abandon, id=site_id, lapses_at=lapses_at)
    registry.execute("SELECT pg_notify('site_due', '')")

    def look() -> str | None:
        last: str = registry.read(f"/services/{site_id}")["last_health_check"]
        return None if last == first else last

    second = wait_until(look, "the lapsed claim is taken over")
    assert datetime.fromisoformat(second) >= lapses_at
    assert registry.sites.hits[site_id] == 2


def test_the_number_of_probes_at_once_is_bounded(start_registry: StartRegistry) -> None:
    registry = start_registry(probe_concurrency=3)
    hanging = [registry.store(registry.describe_site("hanging")) for _ in range(8)]
    wait_until(lambda: registry.sites.open_now["hanging"] == 3, "three probes are under way")
    registry.sites.released = True
    for site_id in hanging:
        assert registry.wait_for_check(site_id)["health_status"] == "healthy"
    assert registry.sites.peak["hanging"] == 3


@pytest.mark.parametrize(("hard", "probes"), [(1512, 500), (20_000, 4000), (100, 1)])
def test_no_more_probes_are_open_than_files_may_be(hard: int, probes: int) -> None:
    """In a process of its own, whose limits are lowered."""
    program = (
        "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (100, {hard}));"
        "from microservices.service_registry.logic.limits import allow_probes; print(allow_probes(4000))"
    )
    if resource.getrlimit(resource.RLIMIT_NOFILE)[1] < hard:
        pytest.skip("this machine allows itself fewer open files")
    told = subprocess.run([sys.executable, "-c", program.format(hard=hard)], capture_output=True, text=True, check=True)
    assert int(told.stdout) == probes


def test_names_that_cannot_be_looked_up_delay_nobody(
    start_registry: StartRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name whose servers are gone takes long to look up, and cannot be given up before."""
    released, look_up = threading.Event(), socket.getaddrinfo

    def look_up_slowly(host: Any, *arguments: Any, **options: Any) -> Any:
        if str(host).startswith("dead"):
            released.wait(60)
            raise socket.gaierror(socket.EAI_AGAIN, "no answer")
        return look_up(host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", look_up_slowly)
    registry = start_registry()
    dead = [registry.store(registry.describe_site(base_url=f"http://dead{n}.example.org")) for n in range(40)]
    port = registry.sites_url.rsplit(":", 1)[1]
    site_id = registry.store(registry.describe_site(base_url=f"http://localhost:{port}/site"))
    assert registry.wait_for_check(site_id)["health_status"] == "healthy"
    assert registry.read(f"/services/{dead[0]}")["health_status"] == "unknown"
    released.set()
    assert "could not be resolved" in registry.wait_for_check(dead[0])["error_message"]
