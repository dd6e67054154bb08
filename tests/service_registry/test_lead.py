"""Of several registry processes one probes, and another takes over when it dies or hangs: with real processes."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet

from imputehub.local.children import find_free_port
from microservices.kernel.testing import TokenAuthority, serve_app
from microservices.service_registry.logic import lead
from tests.service_registry.registry import Registry
from tests.service_registry.stub_sites import StubSites, build_sites
from tests.waiting import wait_until

OFTEN = {"allow_private_network": True, "health_interval_s": 1}
# The service with half of the time for which a leader may be silent, and beats and questions that are as much quicker
# that a busy machine ends no lead.
QUICK_SERVICE = """
import sys, uvicorn
from microservices.service_registry.logic import lead
lead._SERVER_OPTIONS["idle_session_timeout"] //= 2
lead._BEAT_S, lead._ASK_AGAIN_S = lead._BEAT_S / 5, lead._ASK_AGAIN_S / 5
uvicorn.run("microservices.service_registry.main:create", factory=True, port=int(sys.argv[1]), access_log=False)
"""


@dataclass
class Pair:
    """Two registry processes on one database."""

    processes: list[subprocess.Popen[bytes]]
    registries: list[Registry]
    logs: list[Path]

    def wait_for_leader(self) -> int:
        """The number of the first that leads."""
        leads = wait_until(lambda: [number for number in (0, 1) if self.has_led(number)], "one leads")
        assert len(leads) == 1
        return leads[0]

    def has_led(self, number: int) -> bool:
        return "lead_taken" in self.logs[number].read_text()


@pytest.fixture
def pair(
    new_database: Callable[[], str], authority: TokenAuthority, authority_url: str, redis_url: str, tmp_path: Path
) -> Iterator[Pair]:
    database_url, sites = new_database(), StubSites()
    environment = {
        "PATH": os.environ["PATH"],
        "SERVICE_REGISTRY_DATABASE_URL": database_url,
        "SERVICE_REGISTRY_CLIENT_SECRET": "unused-by-the-stub",
        "SERVICE_REGISTRY_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
        "USER_SERVICE_URL": authority_url,
        "NOTIFICATION_URL": "http://127.0.0.1:1",
        "REDIS_URL": redis_url,
    }
    with ExitStack() as stack:
        sites_url = stack.enter_context(serve_app(build_sites(sites)))
        engine = sa.create_engine(database_url)
        stack.callback(engine.dispose)
        pair = Pair([], [], [])
        versions: dict[str, int] = {}
        for number in range(2):
            port, log = find_free_port(), tmp_path / f"{number}.log"
            command = [sys.executable, "-c", QUICK_SERVICE, str(port)]
            output = stack.enter_context(log.open("wb"))
            process = subprocess.Popen(command, env=environment, stdout=output, stderr=subprocess.STDOUT)
            stack.callback(end, process)
            http = stack.enter_context(httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60))
            pair.processes.append(process)
            pair.registries.append(Registry(http, authority, engine, sites, sites_url, [], versions))
            pair.logs.append(log)
        for registry in pair.registries:
            wait_until(lambda registry=registry: is_ready(registry.http), "the registry is ready", within_s=60)
        yield pair


def end(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGCONT)
    process.kill()
    process.wait(60)


def is_ready(http: httpx.Client) -> bool:
    try:
        return http.get("/health/ready").status_code == 200
    except httpx.TransportError:
        return False


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGSTOP], ids=["dies", "hangs"])
def test_another_takes_over_within_thirty_seconds_of_a_leader_that(pair: Pair, ending: signal.Signals) -> None:
    assert lead.SILENT_FOR_S + lead._ASK_AGAIN_S < 30 - 5, "as the service runs, too, with 5 s to begin probing"
    first = pair.wait_for_leader()
    leader, follower = pair.registries[first], pair.registries[1 - first]
    site_id = follower.store(follower.describe_site(api_config=OFTEN))
    held = follower.store(follower.describe_site("hanging"))
    assert follower.wait_for_check(site_id)["health_status"] == "healthy"
    wait_until(lambda: leader.sites.open_now[held] == 1, "a site is being probed")
    forced = follower.check(site_id, ("operator",), force=True)  # checking now works wherever it is asked for
    assert (forced.status_code, forced.json()["cached"]) == (200, False)

    pair.processes[first].send_signal(ending)
    ended_at = time.monotonic()
    follower.sites.released = True
    wait_until(lambda: pair.has_led(1 - first), "the other leads", within_s=30)
    wait_until(
        lambda: all(follower.read(f"/services/{each}")["health_status"] == "healthy" for each in (site_id, held)),
        "sites are probed, and what the first had in hand too",
        within_s=30 - (time.monotonic() - ended_at),
    )
    asked = follower.sites.hits[site_id]
    wait_until(lambda: follower.sites.hits[site_id] >= asked + 2, "probes go on")


def test_a_leader_that_was_replaced_while_it_hung_stops_leading(pair: Pair) -> None:
    first = pair.wait_for_leader()
    end_its_session: Any = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name = 'service_registry lead' AND datname = current_database()"
    )
    pair.registries[0].execute(end_its_session)
    wait_until(lambda: "lead_not_held" in pair.logs[first].read_text(), "it notices")
    wait_until(lambda: sum(log.read_text().count("lead_taken") for log in pair.logs) == 2, "one leads again")
    site_id = pair.registries[0].store(pair.registries[0].describe_site())
    assert pair.registries[1].wait_for_check(site_id)["health_status"] == "healthy"
    assert pair.registries[0].sites.hits[site_id] == 1
