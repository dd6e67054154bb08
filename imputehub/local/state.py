"""The state directory: `.imputehub/` of the clone, or where `IMPUTEHUB_HOME` points. Its owner's alone."""

import contextlib
import errno
import fcntl
import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from imputehub.local.errors import AlreadyRunningError, LocalPlatformError

PROJECT = Path(__file__).resolve().parents[2]
NEEDED_SPACE_MB = 500


def find_home(environ: Mapping[str, str]) -> Path:
    """The state directory's path; of an installation that is no clone, the one of the current directory."""
    if chosen := environ.get("IMPUTEHUB_HOME"):
        return Path(chosen).expanduser().resolve()
    clone = (PROJECT / "pyproject.toml").exists()
    return (PROJECT if clone else Path.cwd()) / ".imputehub"


def prepare_home(home: Path) -> None:
    """Makes what is missing of the directory and sees that it can be used.

    Raises:
        LocalPlatformError: its disk is nearly full.
        OSError: it is somebody else's, or cannot be made.
    """
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    home.chmod(0o700)
    for name in ("logs", "storage", "spool", "sandbox"):
        (home / name).mkdir(exist_ok=True, mode=0o700)
    check_space(home)


def check_space(directory: Path, needed_mb: int = NEEDED_SPACE_MB, fact: str = "") -> None:
    free_mb = shutil.disk_usage(directory).free // 2**20
    if free_mb < needed_mb:
        shortage = f"{free_mb} MB are free and {NEEDED_SPACE_MB} MB are needed"
        raise make_space_error(directory, f"{shortage}. {fact}".strip(" ."))


def make_space_error(directory: Path, fact: str) -> LocalPlatformError:
    return LocalPlatformError(
        f"No space on the disk of {directory}: free some, or set IMPUTEHUB_HOME to a directory elsewhere. {fact}"
    )


def explain_os_error(error: OSError, home: Path) -> LocalPlatformError:
    """What the operating system refused, in words for the person who starts the platform."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return make_space_error(home, "the disk or the quota is full")
    if error.errno in (errno.EACCES, errno.EPERM):
        return LocalPlatformError(
            f"{error.filename or home} belongs to another account: use that one, or set IMPUTEHUB_HOME to a "
            "directory of your own"
        )
    return LocalPlatformError(f"{error.strerror}: {error.filename or home}")


def write_private(path: Path, value: Any) -> None:
    """Writes JSON in one step, so that an interruption leaves the old content; readable by its owner only."""
    unfinished = path.with_name(f".{path.name}.unfinished")
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(value, file, indent=2)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)


def read_json(path: Path, absent: Any) -> Any:
    """The content; `absent` when the file is not there or was broken off."""
    try:
        return json.loads(path.read_text())
    except (FileNotFoundError, ValueError):
        return absent


@contextlib.contextmanager
def hold_lock(home: Path, patience_s: float = 1.0) -> Iterator[None]:
    """One supervisor per state directory; the lock ends with the process, however that ends.

    Patient, because somebody who only asks whether it is held holds it for a moment.
    """
    deadline = time.monotonic() + patience_s
    with (home / "lock").open("a") as file:
        while not _try_lock(file.fileno()):
            if time.monotonic() >= deadline:
                raise AlreadyRunningError("The platform is already running")
            time.sleep(0.05)
        yield


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def is_running(home: Path) -> bool:
    if not home.exists():
        return False
    try:
        with hold_lock(home, 0):
            return False
    except AlreadyRunningError:
        return True
