# ruff: noqa: T201
"""What job_processor bears: submissions, reads, runs brought to a site, and ten thousand runs watched at once.

    python tests/load/bench_jobs.py [--rounds N] [--running N] [--only api|submit|watch]

The site is a stub in a process of its own that answers at once; our other services are a stub in this process;
PostgreSQL is real. Prints medians of the rounds, and the marks. CPU time per piece of work says what a core of its own
could do when the machine has other work.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import aiohttp
import httpx
import psutil
import sqlalchemy as sa

from imputehub.local.postgresql import run_postgresql
from imputehub.local.valkey import run_valkey
from microservices.job_processor.logic.engine import Engine, start_engine
from microservices.job_processor.logic.polling import poll_due_runs
from microservices.job_processor.logic.sites import Sites
from microservices.job_processor.logic.submission import submit_run
from microservices.job_processor.models import Run
from microservices.job_processor.settings import Settings
from microservices.kernel.db import Database, utc_now
from microservices.kernel.garbage import calm_collector
from microservices.kernel.migrations import migrate_database
from microservices.kernel.testing import TokenAuthority, serve_app
from tests.job_processor.environment import list_environment, make_settings
from tests.load.bench_catalogue import ask, find_server
from tests.load.bench_catalogue import read_cpu_s as read_server_cpu_s
from tests.load.bench_gateway import run_server
from tests.load.job_stage import ManySites, build_many, fill_runs, queue_runs, run_site

CONCURRENCY = 100


def read_cpu_s() -> float:
    used = psutil.Process().cpu_times()
    return float(used.user + used.system)


def bench_watch(engine: Engine, peers: ManySites, running: int, rounds: int) -> None:
    """All are due at once, as after an outage; then for a while each when it is its turn."""
    for how, each_alone in (("asked for one by one", True), ("by the accounts' lists", False)):
        with engine.database.transaction() as session:
            session.execute(sa.text("TRUNCATE imputation_jobs CASCADE"))
        each = fill_runs(engine.database, running)
        peers.jobs_each = 0 if each_alone else each
        engine.loop.run(engine.sites.close())
        engine.sites = Sites(engine.peers)
        rates, costs = [], []
        for _ in range(rounds + 1):
            with engine.database.transaction() as session:
                session.execute(sa.update(Run).values(next_action_at=utc_now()))
            started, cpu = time.perf_counter(), read_cpu_s()
            poll_due_runs(engine, lambda _run: None).result(timeout=120)
            rates.append(running / (time.perf_counter() - started))
            costs.append((read_cpu_s() - cpu) / running * 1e6)
        rate, cost = statistics.median(rates[1:]), statistics.median(costs[1:])
        print(
            f"{running} running jobs, all due, {how}: {rate:.0f} polls/s (mark 3000), {cost:.0f} µs CPU each;"
            f" after a start {rates[0]:.0f}/s, so the last is late by {running / rates[0]:.1f} s (mark 10)"
        )
    measure_lag(engine, running)


def measure_lag(engine: Engine, running: int, seconds: int = 40) -> None:
    """Each is due every 30 s, the beat comes every second: how late is the one that is asked last?"""
    oldest = sa.select(sa.func.min(Run.next_action_at)).where(Run.status == "running")
    with engine.database.transaction() as session:
        session.execute(sa.text("UPDATE job_runs SET next_action_at = now() + random() * interval '30 seconds'"))
    worst, cpu, started, pending = 0.0, read_cpu_s(), time.perf_counter(), []
    while time.perf_counter() - started < seconds:
        with engine.database.transaction() as session:
            due = session.scalar(oldest)
        assert due is not None
        worst = max(worst, (utc_now() - due).total_seconds())
        pending.append(poll_due_runs(engine, lambda _run: None))
        time.sleep(1)
    for asked in pending:
        asked.result(timeout=60)
    load = (read_cpu_s() - cpu) / (time.perf_counter() - started)
    print(f"{running} running jobs, each every 30 s: worst lag {worst:.1f} s (mark 10), {load:.0%} of a core")


def bench_submissions(engine: Engine, peers: ManySites, authority: TokenAuthority, rounds: int) -> None:
    rates, costs = [], []
    for _ in range(rounds):
        runs = queue_runs(engine.database, peers, authority, 200)
        started, cpu = time.perf_counter(), read_cpu_s()
        with ThreadPoolExecutor(16) as pool:
            list(pool.map(partial(submit_run, engine), runs))
        rates.append(len(runs) / (time.perf_counter() - started))
        costs.append((read_cpu_s() - cpu) / len(runs) * 1e6)
    rate, cost = statistics.median(rates), statistics.median(costs)
    print(f"submissions to a site, 1 kB of input each: {rate:.0f}/s, {cost:.0f} µs CPU (with our services' stub)")


Wish = tuple[dict[str, str], dict[str, Any]]


def make_wish(peers: ManySites, authority: TokenAuthority) -> Wish:
    """A person of an organisation of their own, and what they want."""
    headers = authority.person()
    target = {"service_id": str(UUID(int=1)), "panel_id": str(peers.panel_id)}
    wish = {"name": "bench", "build": "hg38", "phasing": "no_phasing", "targets": [target]}
    return headers, wish | {"input_file_ids": [str(peers.add_file(headers["Authorization"]))]}


async def post_jobs(url: str, wishes: list[Wish], each: int) -> tuple[float, float, float]:
    """(202s per second, 95th percentile in ms, µs of CPU each) with all of these people at once."""
    times: list[float] = []
    server = find_server(int(url.rsplit(":", 1)[1]))

    async def post(session: aiohttp.ClientSession, headers: dict[str, str], wish: dict[str, Any]) -> None:
        for _ in range(each):
            asked = time.perf_counter()
            async with session.post(f"{url}/api/v1/jobs", json=wish, headers=headers) as answer:
                assert answer.status == 202, await answer.text()
                await answer.read()
            times.append(time.perf_counter() - asked)

    started, cpu = time.perf_counter(), read_server_cpu_s(server)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        await asyncio.gather(*(post(session, *wish) for wish in wishes))
    cost = (read_server_cpu_s(server) - cpu) / len(times) * 1e6
    return len(times) / (time.perf_counter() - started), statistics.quantiles(times, n=100)[94] * 1000, cost


def bench_api(settings: Settings, peers: ManySites, authority: TokenAuthority, rounds: int) -> None:
    wishes = [make_wish(peers, authority) for _ in range(CONCURRENCY)]
    headers, _wish = wishes[0]
    with run_server("microservices.job_processor.main:create", list_environment(settings)) as url:
        asyncio.run(post_jobs(url, wishes, 1))
        found = [asyncio.run(post_jobs(url, wishes, 5)) for _ in range(rounds)]
        rate, p95, cpu = (statistics.median(values) for values in zip(*found, strict=True))
        print(f"submit (202), c={CONCURRENCY}: {rate:.0f}/s, p95 {p95:.0f} ms (mark 100), {cpu:.0f} µs CPU")
        with opening(settings) as database, database.transaction() as session:
            session.execute(sa.text("TRUNCATE outbox"))  # nobody is told, so that only the reads are measured
        job_id = httpx.get(f"{url}/api/v1/jobs", headers=headers).json()["items"][0]["id"]
        for name, path in (("list of jobs", "/api/v1/jobs"), ("job", f"/api/v1/jobs/{job_id}")):
            asyncio.run(ask(url, path, headers, 100))
            reads = [asyncio.run(ask(url, path, headers, 500)) for _ in range(rounds)]
            rate, p95, cpu = (statistics.median(values) for values in zip(*reads, strict=True))
            print(f"{name}, c={CONCURRENCY}: {rate:.0f}/s (mark 3000), p95 {p95:.0f} ms (mark 50), {cpu:.0f} µs CPU")


@contextmanager
def opening(settings: Settings) -> Iterator[Database]:
    database = Database(settings.database_url.get_secret_value())
    try:
        yield database
    finally:
        database.dispose()


def main() -> None:
    parser = argparse.ArgumentParser(description="Submissions, reads, and ten thousand running jobs.")
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--running", type=int, default=10_000)
    parser.add_argument("--only", choices=["api", "submit", "watch"])
    options = parser.parse_args()
    authority = TokenAuthority()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(run_postgresql(folder / "postgresql", fast=True))
        redis_url = stack.enter_context(run_valkey(folder / "valkey"))
        peers = ManySites(stack.enter_context(run_site()))
        peers_url = stack.enter_context(serve_app(build_many(peers, authority)))
        database_url = server.create_database()
        migrate_database("job_processor", database_url)
        settings = make_settings(database_url, redis_url, peers_url, folder, log_level="WARNING")
        engine = start_engine(settings)
        calm_collector()  # as the worker does
        if options.only in (None, "api"):
            bench_api(settings, peers, authority, options.rounds)
        if options.only in (None, "submit"):
            bench_submissions(engine, peers, authority, options.rounds)
        if options.only in (None, "watch"):
            bench_watch(engine, peers, options.running, options.rounds)
        engine.loop.run(engine.sites.close())
        engine.database.dispose()


if __name__ == "__main__":
    main()
