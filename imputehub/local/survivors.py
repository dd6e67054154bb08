"""What a killed supervisor left running: told from strangers, and ended.

A process is ours when pid, executable and start time are those that we noted; a pid alone says nothing,
because the system gives it to the next process. Beside that every child's environment names its state directory.
"""

import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TypedDict

import psutil

from imputehub.local.state import read_json, write_private

START_TOLERANCE_S = 0.05  # the system counts in ticks of 0.01 s
DEADLINE_S = 10.0
MARK = "IMPUTEHUB_SUPERVISED_FROM"


class Record(TypedDict):
    name: str
    pid: int
    executable: str
    started_at: float
    stop_signal: int


def make_record(name: str, pid: int, stop_signal: signal.Signals) -> Record | None:
    """None when the process has ended already."""
    try:
        process = psutil.Process(pid)
        executable, started_at = process.exe(), measure_start(process)
    except psutil.Error:
        return None
    return Record(name=name, pid=pid, executable=executable, started_at=started_at, stop_signal=int(stop_signal))


def measure_start(process: psutil.Process) -> float:
    """When it started, in seconds: on Linux since the boot, which does not move when the clock is set."""
    boot = psutil.boot_time() if sys.platform == "linux" else 0.0
    return process.create_time() - boot


def write_records(home: Path, records: Iterable[Record]) -> None:
    write_private(home / "processes.json", list(records))


def find_survivor(record: Record) -> psutil.Process | None:
    try:
        process = psutil.Process(record["pid"])
        same_start = abs(measure_start(process) - record["started_at"]) < START_TOLERANCE_S
        return process if same_start and process.exe() == record["executable"] else None
    except psutil.Error:
        return None


def list_survivors(home: Path) -> list[tuple[Record, psutil.Process]]:
    """What `processes.json` names and is still running; none of it is left over while a supervisor runs."""
    records: list[Record] = read_json(home / "processes.json", [])
    return [(record, process) for record in records if (process := find_survivor(record))]


def find_unrecorded(home: Path, known: set[int]) -> list[tuple[Record, psutil.Process]]:
    """Children of a supervisor that was killed before it noted them: their environment names `home`.

    PostgreSQL overwrites its environment; its `postmaster.pid` tells of it instead.
    """
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.pid in known or process.environ().get(MARK) != str(home):
                continue
            name = process.name()
            number = signal.SIGINT if name == "postgres" else signal.SIGTERM
            if record := make_record(name, process.pid, number):
                found.append((record, process))
    return found


def end_survivors(home: Path) -> list[str]:
    """Ends what `processes.json` names and is still running, with its children; the names of those.

    Databases and caches go last, so that the others can finish what they are writing.
    """
    recorded = list_survivors(home)
    databases = [pair for pair in recorded if pair[0]["name"] in ("postgresql", "valkey")]
    _end_processes([pair for pair in recorded if pair not in databases])
    _end_processes(databases)
    unrecorded = find_unrecorded(home, {os.getpid()})
    _end_processes(unrecorded)
    if directory := read_json(home / "postgresql.json", {}).get("directory"):
        end_stray_postmaster(Path(directory) / "pgdata")
    write_records(home, [])
    return [record["name"] for record, _ in recorded + unrecorded]


def _end_processes(found: list[tuple[Record, psutil.Process]]) -> None:
    doomed: list[psutil.Process] = []
    for record, process in found:
        with contextlib.suppress(psutil.Error):
            doomed += [process, *process.children(recursive=True)]
            process.send_signal(record["stop_signal"])
    for process in await_ends(doomed):
        with contextlib.suppress(psutil.Error):
            process.kill()
    await_ends(doomed)


def await_ends(processes: list[psutil.Process]) -> list[psutil.Process]:
    """Those that still run after the deadline. One that ended does not, though nobody has reaped it yet."""
    deadline = time.monotonic() + DEADLINE_S
    while (alive := [one for one in processes if is_alive(one)]) and time.monotonic() < deadline:
        time.sleep(0.05)
    return alive


def is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def end_stray_postmaster(pgdata: Path) -> None:
    """Ends a server that still runs on `pgdata`, and removes a pid file whose process is not that server.

    PostgreSQL refuses to start while any process has the pid in its `postmaster.pid`, were it a stranger.
    """
    pid_file = pgdata / "postmaster.pid"
    try:
        pid = int(pid_file.read_text().split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return
    try:
        process = psutil.Process(pid)
        ours = Path(process.exe()).name == "postgres" and str(pgdata) in process.cmdline()
    except psutil.Error:
        ours = False
    if ours:
        record = Record(name="postgresql", pid=pid, executable="", started_at=0, stop_signal=signal.SIGINT)
        _end_processes([(record, process)])
    else:
        pid_file.unlink()
