"""One child process that is kept alive, and the description it is made from."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from imputehub.local.logs import open_log
from imputehub.local.postgresql import run_as
from imputehub.local.state import PROJECT
from imputehub.local.survivors import MARK, Record, make_record
from imputehub.local.unprivileged import Account

Kind = Literal["service", "django", "worker", "database", "cache", "sandbox", "task"]
State = Literal["starting", "ready", "failed", "stopped"]

READINESS_INTERVAL_S = 0.1
FIRST_PAUSE_S = 0.1  # between a death and the next start; doubles while it dies before it is ready
LONGEST_PAUSE_S = 10.0
FAILED_AFTER = 5  # deaths in a row before it was ready


@dataclass(frozen=True)
class ProcessSpec:
    """What to run. `is_ready` is asked in a thread while the process starts; it may block for seconds."""

    name: str
    kind: Kind
    command: Sequence[str]
    environment: Mapping[str, str]
    port: int | None = None
    is_ready: Callable[[], bool] = lambda: True
    stop_signal: signal.Signals = signal.SIGTERM
    stop_deadline_s: float = 10.0
    account: Account | None = None
    stdin: bytes | None = field(default=None, repr=False)


class Child:
    """Runs a spec in a process group of its own and brings it back when it dies, until `stop`.

    `noted` is called after every start, so that a later supervisor can find what this one leaves behind.
    """

    def __init__(self, spec: ProcessSpec, logs: Path, noted: Callable[[], None]) -> None:
        self.spec, self.restarts, self.retry_at, self.problem = spec, 0, 0.0, ""
        self.state: State = "stopped"
        self.record: Record | None = None
        self._logs, self._noted = logs, noted
        self._process: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        running = self._process is not None and self._process.returncode is None
        return self._process.pid if self._process and running else None

    def start(self) -> None:
        if self._keeper is None:
            self.state = "starting"
            self._keeper = asyncio.create_task(self._keep_alive())

    async def stop(self) -> None:
        if self._keeper:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
            self._keeper = None
        await self._end_process()
        self.state, self.record = "stopped", None
        self._noted()

    async def run_once(self) -> int:
        """The exit code of a task that is not brought back."""
        try:
            process = await self._spawn()
            await process.communicate(self.spec.stdin)
            return await process.wait()
        finally:
            await self.stop()

    async def _keep_alive(self) -> None:
        failures = 0
        while True:
            self.problem = await self._live_once()
            failures = 0 if self.state == "ready" else failures + 1
            self.restarts += 1
            self.state = "failed" if failures >= FAILED_AFTER else "starting"
            pause = min(FIRST_PAUSE_S * 2 ** max(0, failures - 1), LONGEST_PAUSE_S)
            self.retry_at = time.time() + pause
            await asyncio.sleep(pause)

    async def _live_once(self) -> str:
        """From a start to a death; why it died."""
        try:
            process = await self._spawn()
        except OSError as error:
            return f"it cannot be started: {error}"
        readiness = asyncio.create_task(self._await_readiness())
        try:
            code = await process.wait()
        finally:
            readiness.cancel()
        self._kill_group(process.pid)
        return f"it ended with exit code {code}"

    async def _spawn(self) -> asyncio.subprocess.Process:
        log = open_log(self._logs, self.spec.name)
        try:
            self._process = await asyncio.create_subprocess_exec(
                *self.spec.command,
                stdin=asyncio.subprocess.DEVNULL if self.spec.stdin is None else asyncio.subprocess.PIPE,
                stdout=log,
                stderr=log,
                env={**self.spec.environment, MARK: str(self._logs.parent)},
                cwd="/" if self.spec.account else PROJECT,
                start_new_session=True,
                **run_as(self.spec.account),
            )
        finally:
            os.close(log)
        self.record = make_record(self.spec.name, self._process.pid, self.spec.stop_signal)
        self._noted()
        return self._process

    async def _await_readiness(self) -> None:
        while not await asyncio.to_thread(self.spec.is_ready):  # noqa: ASYNC110 (another process's state)
            await asyncio.sleep(READINESS_INTERVAL_S)
        self.state = "ready"

    async def _end_process(self) -> None:
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.send_signal(self.spec.stop_signal)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), self.spec.stop_deadline_s)
        self._kill_group(process.pid)
        await process.wait()

    def _kill_group(self, pid: int) -> None:
        """Ends what the process itself started and left behind, and the process when it would not go."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)
