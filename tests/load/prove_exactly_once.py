# ruff: noqa: T201
"""Every run reaches its site exactly once, and its results come home: shown under chaos, and counted.

    python tests/load/prove_exactly_once.py [--runs 200] [--seed N] [--chaos S]

Real Celery workers, a real PostgreSQL and Valkey, the service itself, and a site that counts. While runs are submitted,
watched and collected: workers die (-9) at random lines of our code and at any moment, Valkey is killed and restarted,
also without the tail of what it had written, PostgreSQL is restarted and killed, and the site drops connections before,
while and after it accepts, answers 500, 503 and 429 for what it has accepted, or answers late. Everything is drawn from
the seed, which is printed. Ends with 1 when a run was sent twice, was lost, or has no results.
"""

import argparse
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import httpx
import sqlalchemy as sa

from imputehub.local import postgresql, valkey
from microservices.job_processor.main import build
from microservices.job_processor.models import Attempt, Run, StatusUpdate
from microservices.kernel.db import Database
from microservices.kernel.migrations import migrate_database
from microservices.kernel.testing import TokenAuthority, serve_app
from tests.job_processor.chaos import (
    Fate,
    Server,
    Workers,
    await_that,
    cut_tail,
    draw_fates,
    run_restartable_postgresql,
    run_restartable_valkey,
)
from tests.job_processor.chaos_site import RESULTS, ChaosSite, serve_chaos
from tests.job_processor.environment import list_environment, make_settings
from tests.job_processor.peers_stub import PeersStub, build_peers

WORKERS = 2
TICK_S = 0.25
LONGEST_S = 1800
TOLD = {"adopted": "The job was found at the site%", "sent again": "The site surely does not have the job%"}


@dataclass
class Stage:
    """Everything that is there, and what was done to it."""

    lot: random.Random
    folder: Path
    site: ChaosSite
    peers: PeersStub
    database: Database
    client: httpx.Client
    headers: dict[str, str]
    postgresql: Server
    dsn: str
    valkey: Server
    valkey_url: str
    workers: Workers
    jobs: dict[str, UUID] = field(default_factory=dict)
    done: Counter[str] = field(default_factory=Counter)

    def submit_job(self, number: int) -> bool:
        """With its key: whatever became of the answer, the next try is the same job."""
        owner = self.headers["Authorization"]
        file_id = self.peers.add_file(owner, size=3_000_000 if number % 5 == 0 else 20_000)
        target = {"service_id": str(self.peers.service_id), "panel_id": str(self.peers.panel_id)}
        wish = {"name": f"run {number}", "build": "hg38", "phasing": "no_phasing", "targets": [target]}
        headers = self.headers | {"Idempotency-Key": f"run-{number}"}
        for _ in range(100):
            try:
                answer = self.client.post(
                    "/api/v1/jobs", json=wish | {"input_file_ids": [str(file_id)]}, headers=headers
                )
            except httpx.TransportError:
                continue
            if answer.status_code == 202:
                self.jobs[answer.json()["id"]] = UUID(answer.json()["runs"][0]["id"])
                return True
            self.done[f"submission answered {answer.status_code}"] += 1
            time.sleep(0.2)
        return False

    def restart_valkey(self) -> None:
        how = self.lot.choice(("restarted", "killed", "killed, its tail lost"))
        self.valkey.end(signal.SIGTERM if how == "restarted" else signal.SIGKILL)
        if how == "killed, its tail lost":
            cut_tail(self.folder / "valkey", self.lot.uniform(0.1, 1))
        time.sleep(self.lot.uniform(0, 2))
        self.valkey.start()
        await_that(lambda: valkey.accepts_connections(self.valkey_url), 20)
        self.done[f"Valkey {how}"] += 1

    def restart_postgresql(self) -> None:
        how = self.lot.choice((signal.SIGINT, signal.SIGQUIT))
        self.postgresql.end(how)
        time.sleep(self.lot.uniform(0, 2))
        self.postgresql.start()
        await_that(lambda: postgresql.accepts_connections(self.dsn), 60)
        self.done[f"PostgreSQL {'restarted' if how == signal.SIGINT else 'killed'}"] += 1

    def count_statuses(self) -> Counter[str]:
        with self.database.transaction() as session:
            return Counter(session.scalars(sa.select(Run.status)))


@contextmanager
def set_stage(
    folder: Path, seed: int, site: ChaosSite, fates: Callable[[random.Random], Iterator[Fate]]
) -> Iterator[Stage]:
    lot, peers, authority = random.Random(seed), PeersStub(), TokenAuthority()
    user = UUID(int=seed)
    headers = authority.person(user_id=user)
    with ExitStack() as stack:
        peers.site_address = stack.enter_context(serve_chaos(site))
        config = {"allow_private_network": True, "poll_first_s": 0.5, "hold_retry_s": 0.5, "request_timeout_s": 5}
        peers.site = {"api_config": config}
        peers.credentials[str(user), str(peers.service_id)] = "the-token"
        peers_url = stack.enter_context(serve_app(build_peers(peers, authority)))
        server, access = stack.enter_context(run_restartable_postgresql(folder / "postgresql"))
        broker, redis_url = stack.enter_context(run_restartable_valkey(folder / "valkey"))
        database_url = access.create_database()
        migrate_database("job_processor", database_url)
        settings = make_settings(database_url, redis_url, peers_url, folder, log_level="WARNING")
        workers = Workers(list_environment(settings), folder / "workers", fates(random.Random(seed + 1)))
        stack.callback(workers.end)
        address = stack.enter_context(serve_app(build(settings)))
        client = stack.enter_context(httpx.Client(base_url=address, timeout=30))
        database = Database(database_url)
        stack.callback(database.dispose)
        yield Stage(
            lot, folder, site, peers, database, client, headers, server, access.admin_dsn, broker, redis_url, workers
        )


def play(stage: Stage, runs: int, chaos_s: float) -> None:
    """Runs are submitted one after another while everything breaks; then all may end in peace."""
    started = time.monotonic()
    kill_at, valkey_at, postgresql_at = (started + s for s in (15.0, 20.0, 30.0))
    submitted, said = 0, 0.0
    while time.monotonic() - started < LONGEST_S:
        for number in range(WORKERS):
            stage.workers.keep(number)
        now = time.monotonic()
        stage.site.calm = now - started > chaos_s
        if submitted < runs and now - started >= submitted * chaos_s * 0.7 / runs and stage.submit_job(submitted):
            submitted += 1
            continue
        if not stage.site.calm:
            if now > kill_at and stage.workers.kill(stage.lot.randrange(WORKERS)):
                kill_at = now + stage.lot.uniform(2, 20)
            if now > valkey_at:
                stage.restart_valkey()
                valkey_at = time.monotonic() + stage.lot.uniform(10, 40)
            if now > postgresql_at:
                stage.restart_postgresql()
                postgresql_at = time.monotonic() + stage.lot.uniform(20, 60)
        statuses = stage.count_statuses()
        if now - said > 15:
            said = now
            print(f"{now - started:6.0f} s  {dict(statuses)}  accepted at the site: {len(stage.site.jobs)}", flush=True)
        if submitted == runs and stage.site.calm and statuses["completed"] + statuses["failed"] == runs:
            return
        time.sleep(TICK_S)


def find_faults(stage: Stage, runs: int) -> list[str]:
    """What is not as it must be; nothing when all is well."""
    faults = []
    accepted = stage.site.count_by_run()
    for job_id, run_id in stage.jobs.items():
        count = accepted[f"imputehub-{run_id.hex}"]
        if count != 1:
            faults.append(f"run {run_id} was accepted {count} times")
        answer = stage.client.get(f"/api/v1/jobs/{job_id}", headers=stage.headers).json()
        run = answer["runs"][0]
        if (answer["status"], run["results"]) != ("completed", len(RESULTS)):
            faults.append(f"run {run_id} is {run['status']} with {run['results']} results: {run['message']}")
        missing = [name for name in RESULTS if (str(run_id), name) not in stage.peers.stored]
        faults += [f"run {run_id}: {name} is not here" for name in missing]
    if len(stage.jobs) != runs or len(stage.site.jobs) != runs:
        faults.append(f"{runs} runs, {len(stage.jobs)} jobs here, {len(stage.site.jobs)} at the site")
    return faults


def report(stage: Stage) -> None:
    with stage.database.transaction() as session:
        outcomes = Counter(session.scalars(sa.select(Attempt.outcome)))
        told = {
            what: session.scalar(sa.select(sa.func.count()).where(StatusUpdate.message.like(words)))
            for what, words in TOLD.items()
        }
    lines = Counter(where for where in stage.workers.deaths if where.startswith("killed at ") and ":" in where)
    by_line = sum(stage.workers.deaths[where] for where in lines)
    print(f"workers killed at a line of ours: {by_line} ({len(lines)} different lines)")
    for where, count in sorted(stage.workers.deaths.items()):
        if where not in lines:
            print(f"workers {where}: {count}")
    for what, count in sorted(stage.done.items()):
        print(f"{what}: {count}")
    for fault, count in stage.site.told.items():
        print(f"submissions at the site, {fault}: {count}")
    print(f"attempts by outcome: {dict(outcomes)}; {told}")


def main() -> None:
    parser = argparse.ArgumentParser(description="Exactly once, under chaos.")
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 30))
    parser.add_argument("--chaos", type=float, default=300.0, help="seconds")
    parser.add_argument("--keep", type=Path, help="a folder for the workers' logs")
    options = parser.parse_args()
    print(f"seed {options.seed}: {options.runs} runs, {options.chaos:.0f} s of chaos", flush=True)
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or Path(temporary)
        with set_stage(folder, options.seed, ChaosSite(options.seed), draw_fates) as stage:
            play(stage, options.runs, options.chaos)
            report(stage)
            faults = find_faults(stage, options.runs)
    print("\n".join(faults) or f"every one of {options.runs} runs: accepted once, completed, its results here")
    print(f"duration: {time.monotonic() - started:.0f} s (seed {options.seed})")
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
