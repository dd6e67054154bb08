"""A supervisor in the background: whoever starts it hears of its progress through a pipe until it is ready."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from imputehub.local.control import ask_supervisor
from imputehub.local.errors import AlreadyRunningError, LocalPlatformError, NotReadyError, NotRunningError
from imputehub.local.logs import open_log, read_tail
from imputehub.local.state import PROJECT, find_home, is_running, prepare_home
from imputehub.local.supervisor import Report

STARTING_DEADLINE_S = 300.0


def start_detached(home: Path, environ: Mapping[str, str], report: Report) -> None:
    """Returns when everything is ready.

    Raises:
        LocalPlatformError: the start failed; its message is the supervisor's.
    """
    prepare_home(home)
    log = open_log(home / "logs", "supervisor")
    with subprocess.Popen(
        [sys.executable, "-m", "imputehub.local"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
        cwd=PROJECT,
        env={**environ, "IMPUTEHUB_HOME": str(home)},
        start_new_session=True,
    ) as supervisor:
        os.close(log)
        for line in supervisor.stdout or ():
            message = json.loads(line)
            if message["kind"] == "ready":
                supervisor.returncode = 0  # it goes on: do not wait for it
                return
            if message["kind"] == "failed":
                raise NotReadyError(message["text"])
            report(message["text"])
    tail = "\n".join(read_tail(home / "logs" / "supervisor.log", 15))
    raise NotReadyError(f"The supervisor ended before the platform was ready:\n{tail}")


def await_running(home: Path) -> None:
    """Waits for the end of a start that somebody else began.

    Raises:
        NotRunningError: it ended instead.
    """
    deadline = time.monotonic() + STARTING_DEADLINE_S
    while time.monotonic() < deadline:
        try:
            if ask_supervisor(home, "status")["phase"] == "running":
                return
        except NotRunningError:
            if not is_running(home):
                raise
        time.sleep(0.2)
    raise LocalPlatformError("The platform is still starting; `imputehub status` says how far it is")


def main() -> int:
    """The background process itself."""
    from imputehub.local.startup import run_platform

    home = find_home(os.environ)
    try:
        run_platform(home, os.environ, lambda text: tell("progress", text), lambda: leave_pipe(home))
    except AlreadyRunningError:
        leave_pipe(home)
    except LocalPlatformError as error:
        tell("failed", str(error))
        print(error, file=sys.stderr)
        return 1
    return 0


def tell(kind: str, text: str = "") -> None:
    """A progress line; who no longer listens misses it."""
    try:
        os.write(sys.stdout.fileno(), json.dumps({"kind": kind, "text": text}).encode() + b"\n")
    except BrokenPipeError:
        return


def leave_pipe(home: Path) -> None:
    """Says that all is ready and lets go of the pipe; output goes to the log from here on."""
    tell("ready")
    log = open_log(home / "logs", "supervisor")
    os.dup2(log, sys.stdout.fileno())
    os.close(log)
