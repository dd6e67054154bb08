# ruff: noqa: T201
"""What the catalogue's cache gains: the same reads of two registries, one with Redis and one that reads the database.

    python tests/load/bench_catalogue.py [--sites N] [--panels N] [--rounds N]

Three processes beside PostgreSQL and Valkey: the two registries, and this one with 100 connections that ask again as
soon as they are answered. Rounds alternate between no cache, the cache, and the cache while the health of sites
changes ten times a second. Prints requests per second, the 95th percentile, and the registry's own CPU time per
request (which says what a core of its own could do, when the machine has other work), and their medians.
"""

import argparse
import asyncio
import statistics
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from uuid import uuid4

import psutil
import sqlalchemy as sa
from cryptography.fernet import Fernet

from imputehub.local.postgresql import run_postgresql
from imputehub.local.valkey import run_valkey
from microservices.kernel.db import utc_now
from microservices.kernel.migrations import migrate_database
from microservices.kernel.testing import TokenAuthority, serve_authority
from microservices.service_registry.models import ImputationService, ReferencePanel
from tests.load.bench_gateway import Lane, run_server

CONCURRENCY, REQUESTS = 100, 6_000
MARK_RATE, MARK_P95_MS = 3_000, 50
PATHS = {"services": "/api/v1/services", "panels": "/api/v1/panels?build=hg38&population=afr"}
CHANGE = "UPDATE imputation_services SET response_time_ms = random() * 1000; NOTIFY services_changed"


def fill_catalogue(database: str, sites: int, panels: int) -> None:
    """Sites that are healthy and not due, so that nothing is probed meanwhile."""
    later = utc_now() + timedelta(days=1)
    rows = [
        {
            "id": uuid4(),
            "name": f"Imputation Server {number}",
            "service_type": "imputation",
            "api_type": "michigan",
            "base_url": f"https://site{number}.example.org",
            "location": "University of Somewhere",
            "country": "ZA",
            "requires_auth": True,
            "credential_shared": False,
            "api_config": {},
            "is_active": True,
            "supported_formats": ["vcf.gz"],
            "health_status": "healthy",
            "is_available": True,
            "response_time_ms": 120.5,
            "last_health_check": utc_now(),
            "next_check_at": later,
        }
        for number in range(sites)
    ]
    offered = [
        {
            "id": uuid4(),
            "service_id": rows[number % sites]["id"],
            "name": f"Panel {number} (GRCh38/hg38)",
            "panel_id": f"apps@panel-{number}@1.0.0",
            "populations": ["afr", "eur", "eas"],
            "build": "hg38",
            "samples_count": 2504,
            "variants_count": 49_143_605,
            "is_active": True,
        }
        for number in range(panels)
    ]
    engine = sa.create_engine(database)
    with engine.begin() as connection:
        connection.execute(sa.insert(ImputationService), rows)
        connection.execute(sa.insert(ReferencePanel), offered)
    engine.dispose()


def find_server(port: int) -> psutil.Process:
    """The child that was started on this port."""
    return next(child for child in psutil.Process().children() if str(port) in child.cmdline())


def read_cpu_s(server: psutil.Process) -> float:
    used = server.cpu_times()
    return float(used.user + used.system)


async def ask(url: str, path: str, headers: dict[str, str], requests: int) -> tuple[float, float, float]:
    """(requests per second, 95th percentile in ms, CPU time of the registry in µs per request)."""
    port = int(url.rsplit(":", 1)[1])
    server = find_server(port)
    cpu_s = read_cpu_s(server)
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{lines}\r\n".encode()
    loop = asyncio.get_running_loop()
    remaining, times = [requests], list[float]()
    finished = [loop.create_future() for _ in range(CONCURRENCY)]
    started = loop.time()
    lanes = [
        await loop.create_connection(partial(Lane, request, remaining, times, done), "127.0.0.1", port)
        for done in finished
    ]
    await asyncio.gather(*finished)
    rate = len(times) / (loop.time() - started)
    for transport, _ in lanes:
        transport.close()
    return rate, statistics.quantiles(times, n=100)[94] * 1000, (read_cpu_s(server) - cpu_s) / len(times) * 1e6


@contextmanager
def changing(database: str) -> Iterator[None]:
    """The health of all sites changes ten times a second."""
    stop = threading.Event()

    def change() -> None:
        engine = sa.create_engine(database)
        while not stop.wait(0.1):
            with engine.begin() as connection:
                connection.exec_driver_sql(CHANGE)
        engine.dispose()

    thread = threading.Thread(target=change)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def measure(cached: str, uncached: str, database: str, headers: dict[str, str], rounds: int) -> None:
    for name, path in PATHS.items():
        found: dict[str, list[tuple[float, float, float]]] = {"database": [], "cache": [], "cache, changing": []}
        for url in (cached, uncached):
            asyncio.run(ask(url, path, headers, 500))
        for _ in range(rounds):
            found["database"].append(asyncio.run(ask(uncached, path, headers, REQUESTS // 6)))
            found["cache"].append(asyncio.run(ask(cached, path, headers, REQUESTS)))
            with changing(database):
                found["cache, changing"].append(asyncio.run(ask(cached, path, headers, REQUESTS)))
            print(name, "  ".join(f"{how}: {show(runs[-1])}" for how, runs in found.items()), flush=True)
        for how, runs in found.items():
            median = tuple(statistics.median(values) for values in zip(*runs, strict=True))
            print(f"{name}, median, {how}: {show(median)} (mark: {MARK_RATE}/s, p95 {MARK_P95_MS} ms)")


def show(figures: tuple[float, ...]) -> str:
    return "{:.0f}/s p95 {:.1f} ms CPU {:.0f} µs".format(*figures)


def main() -> None:
    parser = argparse.ArgumentParser(description="The catalogue with and without its cache.")
    parser.add_argument("--sites", type=int, default=20)
    parser.add_argument("--panels", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=4)
    options = parser.parse_args()
    authority = TokenAuthority()
    with (
        tempfile.TemporaryDirectory() as folder,
        serve_authority(authority) as authority_url,
        run_postgresql(Path(folder) / "postgresql", fast=True) as server,
        run_valkey(Path(folder) / "valkey") as redis_url,
    ):
        database = server.create_database()
        migrate_database("service_registry", database)
        fill_catalogue(database, options.sites, options.panels)
        environment = {
            "SERVICE_REGISTRY_DATABASE_URL": database,
            "SERVICE_REGISTRY_CLIENT_SECRET": "unused",
            "SERVICE_REGISTRY_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
            "USER_SERVICE_URL": authority_url,
            "LOG_LEVEL": "WARNING",
        }
        target = "microservices.service_registry.main:create"
        with (
            run_server(target, {**environment, "REDIS_URL": redis_url}) as cached,
            run_server(target, {**environment, "REDIS_URL": "redis://127.0.0.1:1/0"}) as uncached,
        ):
            measure(cached, uncached, database, authority.person(), options.rounds)


if __name__ == "__main__":
    main()
