"""Children that end with us, whichever way we end."""

import contextlib
import secrets
import signal
import socket
import subprocess
from pathlib import Path

# Waits until the pipe from the parent closes, which happens even when the parent is killed by SIGKILL.
_GUARD = 'trap "" INT TERM HUP; read -r _; kill -"$2" "$1" 2>/dev/null; [ -z "$3" ] || { sleep 2; rm -rf "$3"; }'


def guard_process(pid: int, ending: signal.Signals, litter: Path | None = None) -> subprocess.Popen[bytes]:
    """Starts a watcher that sends `ending` to `pid` and removes `litter` should this process die.

    Give the returned watcher to `release_guard` before the pid is reaped, so that it never meets a stranger.
    """
    command = ["/bin/sh", "-c", _GUARD, "guard", str(pid), str(int(ending)), str(litter or "")]
    return subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)


def release_guard(guard: subprocess.Popen[bytes]) -> None:
    guard.kill()
    guard.wait()
    if guard.stdin:
        guard.stdin.close()


def stop_process(process: subprocess.Popen[bytes], ending: signal.Signals, deadline_s: float = 10) -> None:
    """Asks with `ending`; after the deadline the process is killed."""
    process.send_signal(ending)
    try:
        process.wait(deadline_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def find_free_port() -> int:
    """Below the range from which systems give ports away, so that none has it before whoever it was chosen for."""
    while True:
        port = 15_000 + secrets.randbelow(15_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
