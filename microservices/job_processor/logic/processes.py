"""Which process does something, and whether it is gone for certain: then its connections are, too."""

import os
import socket
from contextlib import suppress
from pathlib import Path

import psutil

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def name_process() -> str:
    """This process, unlike every other one that was or will be: host, namespace of process ids, id, start."""
    return f"{_name_place()} {os.getpid()} {_tell_start(os.getpid())}"


def is_surely_gone(name: str) -> bool:
    """False also for a process of another machine or container, of which nothing can be seen from here."""
    place, pid, start = name.rsplit(" ", 2)
    if place != _name_place():
        return False
    return _tell_start(int(pid)) != start


def _tell_start(pid: int) -> str | None:
    """When the process began, the same whoever asks and whenever; None when there is none.

    In ticks since the boot: a time of day moves when the clock is set, and a live process would be taken for gone.
    """
    try:
        ticks = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
        return f"{_BOOT_ID.read_text().strip()}:{ticks}"
    except FileNotFoundError:
        if _BOOT_ID.exists():
            return None
    except ProcessLookupError:
        return None
    with suppress(psutil.NoSuchProcess):
        return f"{psutil.Process(pid).create_time():.2f}"
    return None


def _name_place() -> str:
    """Containers may share a host's name and not its processes; elsewhere than on Linux there are no namespaces."""
    namespace = ""
    with suppress(OSError):
        namespace = str(Path("/proc/self/ns/pid").readlink())
    return f"{socket.gethostname()} {namespace}"
