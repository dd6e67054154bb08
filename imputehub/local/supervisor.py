"""Starts the platform's stages in order, keeps their processes alive, and stops them in reverse."""

import asyncio
import contextlib
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from imputehub.local.control import serve_control
from imputehub.local.errors import LocalPlatformError, NotReadyError
from imputehub.local.logs import read_tail, rotate_logs
from imputehub.local.processes import Child, ProcessSpec
from imputehub.local.survivors import write_records

READY_DEADLINE_S = 120.0
ROTATION_INTERVAL_S = 10.0
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
Report = Callable[[str], None]


@dataclass(frozen=True)
class Stage:
    """Processes that start together; once all are ready `prepare` runs (in a thread), then the tasks, at once."""

    title: str
    processes: Sequence[ProcessSpec] = ()
    prepare: Callable[[], None] | None = None
    tasks: Sequence[ProcessSpec] = ()


class Supervisor:
    def __init__(self, home: Path, stages: Sequence[Stage], token: str, report: Report) -> None:
        self.phase = "starting"
        self._home, self._logs, self._stages, self._token = home, home / "logs", stages, token
        self._report = report
        specs = [spec for stage in stages for spec in stage.processes]
        self._children = {spec.name: Child(spec, self._logs, self._note) for spec in specs}
        self._tasks = {spec.name: Child(spec, self._logs, self._note) for stage in stages for spec in stage.tasks}
        self._stopping = asyncio.Event()

    async def run(self, ready: Callable[[], None]) -> None:
        """Until SIGINT, SIGTERM or `down`; calls `ready` once everything is.

        Raises:
            NotReadyError: a process or task failed at the start; everything is stopped again.
        """
        for number in SIGNALS:
            asyncio.get_running_loop().add_signal_handler(number, self._stopping.set)
        rotation = asyncio.create_task(self._rotate_logs())
        try:
            async with serve_control(self._home, self._token, self.answer):
                try:
                    await self._start_or_be_stopped(ready)
                    await self._stopping.wait()
                finally:
                    self.phase = "stopping"
                    await self._stop_all()
        finally:
            rotation.cancel()

    async def _start_or_be_stopped(self, ready: Callable[[], None]) -> None:
        start = asyncio.create_task(self._start_stages())
        stop = asyncio.create_task(self._stopping.wait())
        await asyncio.wait({start, stop}, return_when=asyncio.FIRST_COMPLETED)
        stop.cancel()
        if start.done():
            start.result()
            self.phase = "running"
            ready()
        else:
            start.cancel()
            await asyncio.gather(start, return_exceptions=True)

    async def _start_stages(self) -> None:
        for stage in self._stages:
            began = time.monotonic()
            for spec in stage.processes:
                self._children[spec.name].start()
            await asyncio.gather(*(self._await_ready(self._children[spec.name]) for spec in stage.processes))
            if stage.prepare:
                await asyncio.to_thread(stage.prepare)
            await self._run_tasks(stage.tasks)
            self._report(f"{stage.title} ({time.monotonic() - began:.1f} s)")

    async def _run_tasks(self, specs: Sequence[ProcessSpec]) -> None:
        codes = await asyncio.gather(*(self._tasks[spec.name].run_once() for spec in specs))
        for spec, code in zip(specs, codes, strict=True):
            if code != 0:
                raise self._make_error(spec.name, f"failed (exit code {code})")

    async def _await_ready(self, child: Child) -> None:
        deadline = time.monotonic() + READY_DEADLINE_S
        while child.state != "ready":
            if child.state == "failed":
                raise self._make_error(child.spec.name, f"does not stay up: {child.problem}")
            if child.state == "stopped" or time.monotonic() > deadline:
                raise self._make_error(child.spec.name, f"was not ready within {READY_DEADLINE_S:.0f} s")
            await asyncio.sleep(0.05)

    def _make_error(self, name: str, fact: str) -> NotReadyError:
        path = self._logs / f"{name}.log"
        tail = "\n".join(f"  {line}" for line in read_tail(path, 15))
        return NotReadyError(f"{name} {fact}. The end of {path}:\n{tail}")

    async def _stop_all(self) -> None:
        for stage in reversed(self._stages):
            await asyncio.gather(*(self._children[spec.name].stop() for spec in stage.processes))

    async def _rotate_logs(self) -> None:
        while True:
            await asyncio.sleep(ROTATION_INTERVAL_S)
            with contextlib.suppress(OSError):  # a full disk ends no running process; it is tried again
                rotate_logs(self._logs)

    def _note(self) -> None:
        children = [*self._children.values(), *self._tasks.values()]
        with contextlib.suppress(OSError):
            write_records(self._home, [child.record for child in children if child.record])

    async def answer(self, verb: str, name: str | None) -> dict[str, Any]:
        """What the control socket asks for: `status`, `down`, or `start`, `stop`, `restart` of one process."""
        if verb == "status":
            processes = [describe_child(child) for child in self._children.values()]
            return {"phase": self.phase, "processes": await asyncio.to_thread(_add_memory, processes)}
        if verb == "down":
            self._stopping.set()
            return {}
        child = self._children.get(name or "")
        if child is None:
            raise LocalPlatformError(f"There is no process {name}; there are {', '.join(self._children)}")
        if verb in ("stop", "restart"):
            await child.stop()
        if verb in ("start", "restart"):
            child.start()
            await self._await_ready(child)
        return {}


def describe_child(child: Child) -> dict[str, Any]:
    spec = child.spec
    fields: dict[str, Any] = {"name": spec.name, "kind": spec.kind, "pid": child.pid, "state": child.state}
    fields |= {"port": spec.port, "memory_mb": 0.0, "restarts": child.restarts}
    if child.pid is None and child.state in ("failed", "starting"):
        fields["retry_in_s"] = round(max(0.0, child.retry_at - time.time()), 1)
    return fields


def _add_memory(processes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    for process in processes:
        if process["pid"]:
            process["memory_mb"] = measure_memory(process["pid"])
    return processes


def measure_memory(pid: int) -> float:
    """MB (2^20 bytes) of the process and its descendants; shared pages count in proportion where Linux says so."""
    try:
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)]
        sizes = [getattr(info, "pss", info.rss) for info in (one.memory_full_info() for one in family)]
    except psutil.Error:
        return 0.0
    return round(sum(sizes) / 2**20, 1)
