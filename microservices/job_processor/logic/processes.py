"""Which process does something, and whether it is gone for certain: then its connections are, too."""

import os
import socket
from contextlib import suppress
from pathlib import Path

import psutil


def name_process() -> str:
    """This process, unlike every other one that was or will be: host, namespace of process ids, id, start."""
    return f"{_name_place()} {os.getpid()} {psutil.Process().create_time():.2f}"


def is_surely_gone(name: str) -> bool:
    """False also for a process of another machine or container, of which nothing can be seen from here."""
    place, pid, start = name.rsplit(" ", 2)
    if place != _name_place():
        return False
    try:
        return f"{psutil.Process(int(pid)).create_time():.2f}" != start
    except psutil.NoSuchProcess:
        return True


def _name_place() -> str:
    """Containers may share a host's name and not its processes; elsewhere than on Linux there are no namespaces."""
    namespace = ""
    with suppress(OSError):
        namespace = str(Path("/proc/self/ns/pid").readlink())
    return f"{socket.gethostname()} {namespace}"
