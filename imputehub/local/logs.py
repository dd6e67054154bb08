"""One log per process. Children append to it themselves, so nothing is lost when the supervisor dies."""

import os
import shutil
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from imputehub.local.errors import LocalPlatformError

ROTATE_AT_BYTES = 10 * 2**20


def open_log(directory: Path, name: str) -> int:
    """A file descriptor that appends, also after `rotate_logs` cut the file."""
    return os.open(directory / f"{name}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)


def rotate_logs(directory: Path, limit_bytes: int = ROTATE_AT_BYTES) -> None:
    """Keeps one older part beside each log. What is written in between copy and cut (microseconds) is lost."""
    for path in directory.glob("*.log"):
        if path.stat().st_size > limit_bytes:
            shutil.copyfile(path, path.with_suffix(".log.1"))
            os.truncate(path, 0)


def read_tail(path: Path, lines: int, window_bytes: int = 256 * 1024) -> list[str]:
    """The last lines; a log that does not exist has none."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - window_bytes))
            return file.read().decode(errors="replace").splitlines()[-lines:]
    except FileNotFoundError:
        return []


def follow_logs(paths: Mapping[str, Path]) -> Iterator[tuple[str, str]]:
    """(process, line) for each line that comes from now on; never ends."""
    offsets = {name: path.stat().st_size if path.exists() else 0 for name, path in paths.items()}
    while True:
        for name, path in paths.items():
            fresh, offsets[name] = _read_lines(path, offsets[name])
            yield from ((name, line) for line in fresh)
        time.sleep(0.3)


def _read_lines(path: Path, offset: int) -> tuple[list[str], int]:
    """Whole lines after `offset` and where they end; from the beginning again once the log was cut."""
    if not path.exists():
        return [], 0
    if path.stat().st_size < offset:
        offset = 0
    with path.open("rb") as file:
        file.seek(offset)
        text = file.read()
    whole = text[: text.rfind(b"\n") + 1]
    return whole.decode(errors="replace").splitlines(), offset + len(whole)


def find_logs(home: Path, name: str) -> dict[str, Path]:
    """Each process's log, or the one that is named.

    Raises:
        LocalPlatformError: there is none.
    """
    paths = {path.stem: path for path in sorted((home / "logs").glob("*.log"))}
    chosen = {name: paths[name]} if name in paths else {} if name else paths
    if not chosen:
        known = f"; there are {', '.join(paths)}" if paths else ""
        raise LocalPlatformError(f"There is no log {name} in {home / 'logs'}{known}")
    return chosen
