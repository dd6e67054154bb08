"""Starts the platform's stages in order, keeps their processes alive, and stops them in reverse."""

import asyncio
import contextlib
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imputehub.local.control import Tokens, serve_control
from imputehub.local.errors import LocalPlatformError, NotReadyError
from imputehub.local.log_search import LogQuery, search_log
from imputehub.local.logs import read_tail, rotate_logs
from imputehub.local.measurement import measure_memory, measure_uptime
from imputehub.local.processes import Child, ProcessSpec
from imputehub.local.survivors import write_records

READY_DEADLINE_S = 120.0
ROTATION_INTERVAL_S = 10.0
ANSWER_FIRST_S = 1.0
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
    def __init__(self, home: Path, stages: Sequence[Stage], tokens: Tokens, report: Report) -> None:
        self.phase = "starting"
        self._home, self._logs, self._stages, self._tokens = home, home / "logs", stages, tokens
        self._report = report
        specs = [spec for stage in stages for spec in stage.processes]
        self._children = {spec.name: Child(spec, self._logs, self._note) for spec in specs}
        self._tasks = {spec.name: Child(spec, self._logs, self._note) for stage in stages for spec in stage.tasks}
        self._restarts: dict[str, asyncio.Task[None]] = {}
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
            async with serve_control(self._home, self._tokens, self.answer):
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

    async def answer(self, question: Mapping[str, Any]) -> dict[str, Any]:
        """What the control socket asks for by its `verb`: `status`, `down`, or, of the process `name`, `start`, `stop`,
        `restart` and `logs`.
        """
        verb, name = question["verb"], str(question.get("name") or "")
        if verb == "status":
            return await asyncio.to_thread(self._describe, list(self._children.values()))
        if verb == "down":
            self._stopping.set()
            return {}
        if verb == "logs":
            return await asyncio.to_thread(search_log, self._home, name, LogQuery.read(question))
        child = self._children.get(name)
        if child is None:
            raise LocalPlatformError(f"There is no process {name}; there are {', '.join(self._children)}")
        await self._change(verb, child, answer_first=bool(question.get("answer_first")))
        return {}

    async def _change(self, verb: str, child: Child, *, answer_first: bool) -> None:
        """`answer_first`: a restart begins once the answer has gone out, since who asks may be what is restarted."""
        name = child.spec.name
        if name in self._restarts:
            raise LocalPlatformError(f"{name} is being restarted already")
        if verb == "restart":
            task = asyncio.create_task(self._restart(child, ANSWER_FIRST_S if answer_first else 0.0))
            self._restarts[name] = task
            task.add_done_callback(lambda _done: self._restarts.pop(name, None))
            if not answer_first:
                await asyncio.shield(task)
                await self._await_ready(child)
        elif verb == "stop":
            await child.stop()
        elif verb == "start":
            child.start()
            await self._await_ready(child)
        else:
            raise LocalPlatformError(f"There is nothing called '{verb}' to do")

    async def _restart(self, child: Child, delay_s: float) -> None:
        await asyncio.sleep(delay_s)
        await child.stop()
        if not self._stopping.is_set() and self.phase != "stopping":
            child.start()

    def _describe(self, children: Sequence[Child]) -> dict[str, Any]:
        """`uptime_s` stands apart from the processes, whose fields are agreed."""
        processes = [describe_child(child) for child in children]
        for process in processes:
            process["memory_mb"] = measure_memory(process["pid"]) if process["pid"] else 0.0
        uptime = {child.spec.name: measure_uptime(child.pid) for child in children if child.pid}
        return {"phase": self.phase, "processes": processes, "uptime_s": uptime}


def describe_child(child: Child) -> dict[str, Any]:
    spec = child.spec
    fields: dict[str, Any] = {"name": spec.name, "kind": spec.kind, "pid": child.pid, "state": child.state}
    fields |= {"port": spec.port, "memory_mb": 0.0, "restarts": child.restarts}
    if child.pid is None and child.state in ("failed", "starting"):
        fields["retry_in_s"] = round(max(0.0, child.retry_at - time.time()), 1)
    return fields
