# ruff: noqa: T201
"""How long a sweep of N sites takes, against the slowest site's answer.

    python tests/load/bench_health_sweep.py [--sites 10 100 1000 10000] [--rounds N] [--slowest S]

The sites are stubs in another process, on a few ports: site k answers both of a probe's requests after a time spread
evenly up to the slowest's. The sweep is the registry's own, on a real PostgreSQL. Its time runs from the moment at
which all sites become due to the one at which the last finding stands in the database.
"""

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import psutil
import sqlalchemy as sa
import uvloop

from imputehub.local.postgresql import run_postgresql
from microservices.kernel.db import Database, utc_now
from microservices.kernel.garbage import calm_collector
from microservices.kernel.migrations import migrate_database
from microservices.service_registry.logic.assessment import HealthPolicy
from microservices.service_registry.logic.bells import Bell, wait_for_ring
from microservices.service_registry.logic.limits import allow_probes
from microservices.service_registry.logic.sweep import HealthSweep, running
from microservices.service_registry.models import ImputationService
from microservices.service_registry.settings import Settings

MARKS = {10: 1.05, 100: 1.05, 1000: 1.15, 10_000: 4.0}
PORTS = 8
SERVER = json.dumps({"name": "A site", "apps": [], "loggedIn": False, "maintenace": False}).encode()
COUNTERS = json.dumps({"complete": {"runs": 12}, "queue": {"size": 0}, "users": 3}).encode()


class Stub(asyncio.Protocol):
    """Just enough HTTP: `/<milliseconds>/<site>/api/v2/server[/counters]` is answered after so many milliseconds."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        target = data.split(b" ", 2)[1]
        body = COUNTERS if target.endswith(b"/counters") else SERVER
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
        delay_s = int(target.split(b"/", 2)[1]) / 1000
        asyncio.get_running_loop().call_later(delay_s, self._transport.write, head + body)  # type: ignore[attr-defined]


async def serve_stubs() -> None:
    loop = asyncio.get_running_loop()
    servers = [await loop.create_server(Stub, "127.0.0.1", 0, backlog=20_000) for _ in range(PORTS)]
    print(json.dumps([server.sockets[0].getsockname()[1] for server in servers]), flush=True)
    await asyncio.Event().wait()


@contextmanager
def run_stubs() -> Iterator[list[int]]:
    """Their ports."""
    with subprocess.Popen([sys.executable, __file__, "--serve"], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.terminate()


def insert_sites(engine: sa.Engine, ports: list[int], count: int, slowest_s: float) -> None:
    config = {"connect_timeout_s": 30, "request_timeout_s": 10, "health_interval_s": 3600}
    delay_ms = slowest_s * 1000 / count
    rows = [
        {
            "id": uuid4(),
            "name": f"Site {number}",
            "service_type": "imputation",
            "api_type": "michigan",
            "base_url": f"http://127.0.0.1:{ports[number % PORTS]}/{delay_ms * (number + 1):.0f}/{number}",
            "location": "",
            "country": "ZA",
            "requires_auth": True,
            "credential_shared": False,
            "is_active": True,
            "api_config": {**config, "allow_private_network": True},
            "supported_formats": ["vcf.gz"],
            "next_check_at": utc_now() + timedelta(days=1),
        }
        for number in range(count)
    ]
    with engine.begin() as connection:
        connection.execute(sa.delete(ImputationService))
        connection.execute(sa.insert(ImputationService), rows)


@dataclass
class Round:
    wall_s: float
    cpu_s: float
    healthy: int


async def sweep_once(database: Database, due: Bell, count: int, slowest_s: float) -> Round:
    """It cannot be over before the slowest has answered, so nobody looks until then; and then whenever the sweep rings,
    as it does once findings stand in the database: looking takes time from what is measured.
    """
    process = psutil.Process()
    started, cpu = time.perf_counter(), sum(process.cpu_times()[:2])

    def make_due() -> None:
        with database.transaction() as session:
            session.execute(sa.update(ImputationService).values(next_check_at=utc_now(), last_health_check=None))

    def count_checked() -> tuple[int, int]:
        counted = sa.select(
            sa.func.count(ImputationService.last_health_check),
            sa.func.count().filter(ImputationService.health_status == "healthy"),
        )
        with database.transaction() as session:
            checked, healthy = session.execute(counted).one()
            return checked, healthy

    await asyncio.to_thread(make_due)
    due.ring()
    await asyncio.sleep(slowest_s)
    while True:
        written = due.ticket()
        checked, healthy = await asyncio.to_thread(count_checked)
        if checked == count:
            return Round(time.perf_counter() - started, sum(process.cpu_times()[:2]) - cpu, healthy)
        await wait_for_ring(written, 0.5)


async def measure(database: Database, count: int, rounds: int, slowest_s: float) -> list[Round]:
    due = Bell()
    concurrency = allow_probes(Settings.model_fields["probe_concurrency"].default)
    sweep = HealthSweep(
        database, due, HealthPolicy(5000), utc_now, concurrency=concurrency, keep_checks=timedelta(days=30)
    )
    async with running(sweep.run()):
        await asyncio.sleep(0.5)
        return [await sweep_once(database, due, count, slowest_s) for _ in range(rounds)]


def main() -> None:
    parser = argparse.ArgumentParser(description="A health sweep against the slowest answer.")
    parser.add_argument("--sites", type=int, nargs="+", default=list(MARKS))
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--slowest", type=float, default=2.0, help="seconds")
    parser.add_argument("--serve", action="store_true", help="be the sites")
    options = parser.parse_args()
    if options.serve:
        allow_probes(1)
        return uvloop.run(serve_stubs())
    calm_collector()  # as every service does when it starts
    with tempfile.TemporaryDirectory() as folder, run_postgresql(Path(folder) / "pg", fast=True) as server:
        url = server.create_database()
        migrate_database("service_registry", url)
        database = Database(url)
        with run_stubs() as ports:
            for count in options.sites:
                insert_sites(database.engine, ports, count, options.slowest)
                found = uvloop.run(measure(database, count, options.rounds, options.slowest))
                print_rounds(count, found, options.slowest)
        database.dispose()
    return None


def print_rounds(count: int, rounds: list[Round], slowest_s: float) -> None:
    walls = " ".join(f"{each.wall_s:.2f}" for each in rounds)
    ratio = statistics.median(each.wall_s for each in rounds) / slowest_s
    cpu = statistics.median(each.cpu_s for each in rounds)
    healthy = min(each.healthy for each in rounds)
    print(
        f"{count:6} sites: {walls} s, CPU {cpu:.2f} s, {healthy} healthy; "
        f"{ratio:.2f}× of the slowest answer ({slowest_s} s; mark: {MARKS.get(count, '-')})",
        flush=True,
    )


if __name__ == "__main__":
    main()
