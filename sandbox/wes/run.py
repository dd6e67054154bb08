"""`python -m sandbox.wes.run FOLDER`: one run of the WES site, started by sapporo through `run.sh`.

A cancel comes as SIGUSR1. Standard input is a line that stays open while the site lives: when it ends, so does the
engine, and a site that was killed leaves no work behind that nobody waits for.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import traceback
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from sandbox.wes.folder import RunFolder, State
from sandbox.wes.settings import WesSettings, read_settings
from sandbox.wes.workflow import WorkflowError, build_options, find_panel, place_target, read_wish

NICENESS = 10  # the site must answer while engines compute
CANCELED_CODE = 138  # what sapporo's own script writes


@dataclass(frozen=True)
class Outcome:
    """How a run ends."""

    state: State
    exit_code: int
    reason: str = ""


CANCELED = Outcome("CANCELED", CANCELED_CODE)


class Execution:
    """The engine of this run, and the one way to stop it: `stop` may be called at any moment, from any thread."""

    def __init__(self) -> None:
        self.stopped: Outcome | None = None
        self._engine: subprocess.Popen[bytes] | None = None

    def stop(self, outcome: Outcome) -> None:
        """The first reason stays."""
        self.stopped = self.stopped or outcome
        self._kill_engine()

    def call_engine(self, arguments: list[str]) -> int:
        """The engine's exit code; minus the signal that ended it."""
        command = [sys.executable, "-m", "sandbox.engine", *arguments]
        self._engine = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
        if self.stopped:  # it was told to stop while the engine was being started
            self._kill_engine()
        code = self._engine.wait()
        if code < 0:
            self._kill_engine()  # its workers wait for a process that is no more
        self._engine = None
        return code

    def _kill_engine(self) -> None:
        engine = self._engine
        if engine is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(engine.pid, signal.SIGKILL)


def listen(execution: Execution) -> None:
    """Signals stop the engine and return to where it is waited for."""

    def cancel(_number: int, _frame: FrameType | None) -> None:
        execution.stop(CANCELED)

    def end(number: int, _frame: FrameType | None) -> None:
        execution.stop(Outcome("SYSTEM_ERROR", 128 + number, f"The run was ended by signal {number}."))

    signal.signal(signal.SIGUSR1, cancel)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, end)
    threading.Thread(target=_watch_site, args=(execution,), daemon=True).start()


def _watch_site(execution: Execution) -> None:
    """Reads below `sys.stdin`, whose lock would outlive this thread."""
    os.read(0, 1)
    execution.stop(Outcome("SYSTEM_ERROR", 1, "The site was stopped while the run was at work."))


def perform(folder: RunFolder, settings: WesSettings, execution: Execution) -> Outcome:
    """From the parameters to the list of results. Raises WorkflowError, and OSError when disk or network fail."""
    wish = read_wish(folder)
    panel = find_panel(settings, wish)
    options = build_options(settings, wish)
    for number, target in enumerate(wish.targets, start=1):
        path = place_target(folder, target, number, lambda: execution.stopped is not None)
        if execution.stopped:
            return execution.stopped
        places = ["--target", str(path), "--panel", str(panel), "--out", str(folder.outputs)]
        code = execution.call_engine([*places, *options])
        if execution.stopped:
            return execution.stopped
        if code < 0:
            return Outcome("SYSTEM_ERROR", 128 - code, f"The engine was ended by signal {-code}.")
        if code > 0:
            return Outcome("EXECUTOR_ERROR", code)
    folder.list_outputs()
    return Outcome("COMPLETE", 0)


def conclude(folder: RunFolder, settings: WesSettings, execution: Execution) -> Outcome:
    """`perform`, with whatever goes wrong turned into an end of the run."""
    try:
        return perform(folder, settings, execution)
    except WorkflowError as error:
        sys.stderr.write(f"{error}\n")
        return Outcome("EXECUTOR_ERROR", 2)
    except Exception as error:
        traceback.print_exc()
        return execution.stopped or Outcome("SYSTEM_ERROR", 1, f"The site failed: {type(error).__name__}.")


def main() -> int:
    """Exit code 0; how the run ended stands in its folder."""
    folder, execution = RunFolder(Path(sys.argv[1])), Execution()
    with contextlib.suppress(PermissionError):
        os.setsid()  # whoever ends the site's process group must not end this before it has ended the engine
    os.nice(NICENESS)
    listen(execution)
    folder.write_pid()
    if folder.is_canceling():
        execution.stop(CANCELED)
        outcome = CANCELED
    else:
        folder.begin()
        outcome = conclude(folder, read_settings(Path(os.environ["SANDBOX_WES_SETTINGS"])), execution)
    folder.end(outcome.state, outcome.exit_code, outcome.reason)
    return 0


if __name__ == "__main__":
    sys.exit(main())
