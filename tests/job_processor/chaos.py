"""The job engine under chaos: real workers, PostgreSQL and Valkey that die again and again, and a site with bad lines.

What is drawn by lot comes from a seed; when threads and processes meet is not to be had again, but the faults are.
"""

import contextlib
import os
import random
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from imputehub.local import postgresql, valkey
from imputehub.local.children import find_free_port, guard_process, release_guard, stop_process
from imputehub.local.postgresql import SERVER_ENVIRONMENT, PostgresqlServer, run_as
from imputehub.local.unprivileged import Account, find_server_account, make_server_directory
from tests.job_processor.mortal_worker import LAST_WORDS

PROJECT = Path(__file__).parents[2]
# The modules in whose lines workers die.
DEADLY = (
    *("submission.py", "attempts.py", "reconciliation.py", "leases.py", "lifecycle.py", "holding.py"),
    *("polling.py", "findings.py", "collection.py", "queries.py", "places.py", "sweeping.py"),
)
MORE_THAN_A_START_S = 12


@dataclass
class Server:
    """A server that can be killed and started again on its own data and port."""

    command: Sequence[str]
    log: Path
    account: Account | None
    process: "subprocess.Popen[bytes] | None" = None
    guard: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        environment = SERVER_ENVIRONMENT if self.account else None
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                self.command,
                stdout=output,
                stderr=output,
                env=environment,
                cwd="/",
                start_new_session=True,
                **run_as(self.account),
            )
        self.guard = guard_process(self.process.pid, signal.SIGKILL)

    def end(self, how: signal.Signals) -> None:
        assert self.process is not None
        assert self.guard is not None
        release_guard(self.guard)
        stop_process(self.process, how)


@contextlib.contextmanager
def run_restartable_postgresql(folder: Path) -> Iterator[tuple[Server, PostgresqlServer]]:
    """With its ordinary settings: what was committed survives its death."""
    directory = make_server_directory(folder)
    access = PostgresqlServer(find_free_port(), secrets.token_hex(16))
    pgdata = postgresql.prepare_cluster(directory, access.password)
    command = postgresql.make_server_command(pgdata, access.port)
    server = Server(command, directory / "postgresql.log", find_server_account())
    server.start()
    try:
        await_that(lambda: postgresql.accepts_connections(access.admin_dsn), 30)
        yield server, access
    finally:
        server.end(signal.SIGQUIT)
        shutil.rmtree(directory)


@contextlib.contextmanager
def run_restartable_valkey(folder: Path) -> Iterator[tuple[Server, str]]:
    port, password = find_free_port(), secrets.token_hex(16)
    server = Server(valkey.make_server_command(folder, port, password), folder / "valkey.log", None)
    server.start()
    url = valkey.make_url(port, password)
    try:
        await_that(lambda: valkey.accepts_connections(url), 15)
        yield server, url
    finally:
        server.end(signal.SIGKILL)


def cut_tail(folder: Path, share: float) -> None:
    """Take away so much of the end of what Valkey has written."""
    for file in folder.glob("appendonlydir/*.incr.aof"):
        os.truncate(file, int(file.stat().st_size * (1 - share)))


def await_that(condition: Any, deadline_s: float) -> None:
    deadline = time.monotonic() + deadline_s
    while not condition():
        assert time.monotonic() < deadline, condition
        time.sleep(0.05)


@dataclass(frozen=True)
class Fate:
    """Where a worker dies: at the nth line of a module; 0: not by itself."""

    file: str = ""
    nth: int = 0


@dataclass
class Workers:
    """So many real workers, each with its beat; whichever dies is replaced."""

    environment: dict[str, str]
    folder: Path
    fates: Iterator[Fate]
    deaths: Counter[str] = field(default_factory=Counter)
    _running: "dict[int, subprocess.Popen[bytes]]" = field(default_factory=dict)
    _started_at: dict[int, float] = field(default_factory=dict)

    def keep(self, number: int) -> None:
        """Bring number `number` back when it is dead."""
        process = self._running.get(number)
        if process is not None and process.poll() is None:
            return
        if process is not None:
            self._bury(number, process)
        fate = next(self.fates)
        self.folder.mkdir(exist_ok=True)
        options = [
            "-A",
            "microservices.job_processor.worker:app",
            "worker",
            "-B",
            "-P",
            "threads",
            "--concurrency",
            "12",
        ]
        options += ["--without-gossip", "--without-mingle", "-n", f"worker{number}@%h"]
        options += ["-s", str(self.folder / f"schedule{number}")]
        with self._name_log(number).open("wb") as log:
            self._running[number] = subprocess.Popen(
                [sys.executable, "-m", "tests.job_processor.mortal_worker", fate.file, str(fate.nth), *options],
                env=self.environment,
                cwd=PROJECT,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._started_at[number] = time.monotonic()

    def kill(self, number: int) -> bool:
        """Only one that has come to work: whatever is killed at its start does no harm, and proves nothing."""
        process = self._running.get(number)
        is_young = time.monotonic() - self._started_at.get(number, 0) < MORE_THAN_A_START_S
        if process is None or process.poll() is not None or is_young:
            return False
        os.kill(process.pid, signal.SIGKILL)
        self.deaths["killed at any moment"] += 1
        return True

    def _name_log(self, number: int) -> Path:
        return self.folder / f"worker{number}.log"

    def _bury(self, number: int, process: "subprocess.Popen[bytes]") -> None:
        """As a supervisor does, with what the worker had started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        said = self._name_log(number).read_text(errors="replace")
        last = next((line for line in said.splitlines() if line.startswith(LAST_WORDS)), None)
        if last is not None:
            self.deaths[last] += 1
        elif process.wait() != -signal.SIGKILL:
            self.deaths["died of themselves"] += 1
            self._name_log(number).rename(self.folder / f"died{sum(self.deaths.values())}.log")

    def end(self) -> None:
        for number, process in self._running.items():
            process.poll()
            self._bury(number, process)
            process.wait()

    def are_dead(self) -> bool:
        return all(process.poll() is not None for process in self._running.values())


def draw_fates(lot: random.Random) -> Iterator[Fate]:
    """Half of them die by a line of ours, the others when somebody kills them."""
    while True:
        yield Fate(lot.choice(DEADLY), lot.randrange(10, 500)) if lot.random() < 0.5 else Fate()
