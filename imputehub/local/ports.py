"""Which process listens where, and who sits on a port that we need."""

import errno
import socket
from collections.abc import Container, Mapping

import psutil

from imputehub.local.children import find_free_port
from imputehub.local.errors import LocalPlatformError

DEFAULT_PORTS = {
    "api_gateway": 8000,
    "user_service": 8001,
    "service_registry": 8002,
    "job_processor": 8003,
    "file_manager": 8004,
    "notification": 8005,
    "monitoring": 8006,
    "django": 8010,
    "sandbox_site": 8101,
    "sandbox_wes": 8102,
    "postgresql": 0,
    "valkey": 0,
}


def choose_ports(
    environ: Mapping[str, str], remembered: Mapping[str, int], absent: Container[str] = ()
) -> dict[str, int]:
    """The port of each process: `IMPUTEHUB_PORT_<NAME>` or its default; 0 is a free one, the last one if it is.

    What is `absent` from this installation gets none, so nobody has to make room for it.

    Raises:
        LocalPlatformError: a value is no port, or ports are taken; names every one of them.
    """
    wanted = {name: _read_port(environ, name, default) for name, default in DEFAULT_PORTS.items() if name not in absent}
    reserved: list[socket.socket] = []
    try:
        ports = {name: _reserve(name, port, remembered, reserved) for name, port in wanted.items()}
    finally:
        for held in reserved:
            held.close()
    taken = [describe_taken_port(name, port) for name, (port, free) in ports.items() if not free]
    if taken:
        raise LocalPlatformError("\n".join(taken))
    return {name: port for name, (port, _) in ports.items()}


def _read_port(environ: Mapping[str, str], name: str, default: int) -> int:
    variable = name_variable(name)
    text = environ.get(variable) or str(default)
    if not (text.isascii() and text.isdigit() and int(text) < 65536):
        raise LocalPlatformError(f"{variable}={text} is no port: give a number from 0 (any free port) to 65535")
    return int(text)


def name_variable(name: str) -> str:
    return f"IMPUTEHUB_PORT_{name.upper()}"


def _reserve(name: str, port: int, remembered: Mapping[str, int], reserved: list[socket.socket]) -> tuple[int, bool]:
    """The port and whether it is free; held until all are chosen, so that none is given twice."""
    last = remembered.get(name, 0)
    last_ones = [last] if last not in (0, DEFAULT_PORTS[name]) else []
    candidates = [port] if port else [*last_ones, find_free_port(), 0]
    for candidate in candidates:
        probe = socket.socket()
        reserved.append(probe)
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", candidate))
        except OSError as error:
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise
            continue
        return int(probe.getsockname()[1]), True
    return port, False


def describe_taken_port(name: str, port: int) -> str:
    holder = find_holder(port)
    who = f" by {holder.name()} (process {holder.pid})" if holder else ""
    return (
        f"Port {port}, which {name} needs, is taken{who}: end that process, or choose another port with "
        f"{name_variable(name)} (0 for any free one)"
    )


def find_holder(port: int) -> psutil.Process | None:
    """The process that listens on `port`, as far as we may see it."""
    try:
        for connection in psutil.net_connections("tcp"):
            listens = connection.status == psutil.CONN_LISTEN and connection.laddr[1:] == (port,)
            if listens and connection.pid:
                return psutil.Process(connection.pid)
    except psutil.Error:  # macOS shows other people's connections to root only
        return None
    return None
