# ruff: noqa: T201
"""From *Save* to what researchers see: how long a curator's change takes to be shown by the registry.

Django's web process and worker, the registry, PostgreSQL and Valkey run as they do everywhere; PostgreSQL writes to
disk. A save is a PATCH of the curation API; it is visible when the registry's public catalogue answers with it. Then
the registry loses everything, and a repair brings it back. `python tests/load/bench_catalogue_sync.py` runs it.
"""

import statistics
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import httpx
from cryptography.fernet import Fernet

from imputehub.local.children import find_free_port
from imputehub.local.postgresql import PostgresqlServer, run_postgresql
from imputehub.local.valkey import run_valkey
from microservices.kernel.migrations import migrate_database
from microservices.kernel.testing import TokenAuthority, serve_authority
from tests.django_app.hub import Hub
from tests.django_app.parts import (
    describe_registry,
    describe_web,
    describe_worker,
    run_command,
    run_script,
    running,
)

SAVES = {1: 200, 10: 400}
"""Curators at once → saves altogether."""
SITES = 500
MARK_P95_MS = 300
POLL_S = 0.002

ADD_SITES = """
import sys
from tests.django_app.catalogue import add_panel, add_site
for number in range(int(sys.argv[1])):
    add_panel(add_site(name=f"Site {number}", is_active=False))
"""


@contextmanager
def open_hub(folder: Path, server: PostgresqlServer, redis_url: str, authority: TokenAuthority) -> Iterator[Hub]:
    authority.service_scopes += " catalogue:compare"
    with ExitStack() as stack:
        authority_url = stack.enter_context(serve_authority(authority))
        registry_database = server.create_database("registry")
        migrate_database("service_registry", registry_database)
        registry = describe_registry(registry_database, authority_url, folder / "registry.log")
        registry.environment["REDIS_URL"] = redis_url
        environment = {
            "DJANGO_SECRET_KEY": "a-key-for-measuring-" * 3,
            "DJANGO_DATABASE_URL": server.create_database("django"),
            "DJANGO_BROKER_URL": f"{redis_url.rpartition('/')[0]}/2",
            "DJANGO_CLIENT_SECRET": "unused",
            "DJANGO_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
            "USER_SERVICE_URL": authority_url,
            "SERVICE_REGISTRY_URL": registry.url,
            "NOTIFICATION_URL": f"http://127.0.0.1:{find_free_port()}",
            "REDIS_URL": redis_url,
            "ENVIRONMENT": "local",
            "LOG_LEVEL": "WARNING",
        }
        run_command(environment, "-m", "django_app.manage", "migrate", "--verbosity", "0")
        web, worker = (describe_web(environment, folder / "web.log"), describe_worker(environment, folder / "work.log"))
        stack.enter_context(running(registry, web, worker))
        curator = stack.enter_context(
            httpx.Client(base_url=f"{web.url}/api/v1/curation", headers=authority.person(["curator"]), timeout=60)
        )
        people = stack.enter_context(
            httpx.Client(base_url=f"{registry.url}/api/v1", headers=authority.person(), timeout=60)
        )
        dsn = registry_database.replace("+psycopg2", "")
        yield Hub(registry, web, worker, dsn, server.admin_dsn, environment, curator, people)


def save_and_watch(hub: Hub, site_id: str, saves: int) -> list[float]:
    """Milliseconds from the start of each save until the registry shows it."""
    times = []
    for number in range(saves):
        name = f"Edit {number} of {site_id}"
        started = time.perf_counter()
        hub.edit_site(site_id, name=name)
        while hub.people.get(f"/services/{site_id}").json()["name"] != name:
            time.sleep(POLL_S)
        times.append((time.perf_counter() - started) * 1000)
    return times


def measure_saves(hub: Hub) -> None:
    for curators, saves in SAVES.items():
        sites = [hub.add_site(f"Of curator {number}", is_active=False) for number in range(curators)]
        hub.await_sync()
        save_and_watch(hub, sites[0], 10)
        with ThreadPoolExecutor(curators) as threads:
            parts = threads.map(partial(save_and_watch, hub, saves=saves // curators), sites)
            times = [each for part in parts for each in part]
        p50, p95 = statistics.median(times), statistics.quantiles(times, n=20)[18]
        mark = f" (mark: at most {MARK_P95_MS} ms)" if curators == 1 else ""
        print(f"{curators:>2} at once: {len(times)} saves, visible after p50 {p50:4.0f} ms, p95 {p95:4.0f} ms{mark}")


def measure_repair(hub: Hub) -> None:
    run_script(ADD_SITES, hub.environment, SITES, within_s=600).check_returncode()
    hub.await_sync(within_s=600)
    started = time.perf_counter()
    sites = hub.compare()["sites"]
    compared = time.perf_counter()
    hub.empty_registry()
    emptied = time.perf_counter()
    repaired = len(hub.repair())
    told = time.perf_counter()
    hub.await_sync(within_s=600)
    whole = time.perf_counter() - emptied
    print(f"comparing {sites:,} sites: {compared - started:.2f} s")
    print(f"repairing {repaired:,} that were lost: told after {told - emptied:.1f} s, whole after {whole:.1f} s")


def main() -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        run_postgresql(Path(folder) / "postgresql") as server,
        run_valkey(Path(folder) / "valkey") as redis_url,
        open_hub(Path(folder), server, redis_url, TokenAuthority()) as hub,
    ):
        measure_saves(hub)
        measure_repair(hub)


if __name__ == "__main__":
    main()
