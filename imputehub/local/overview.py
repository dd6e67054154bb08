"""What `imputehub status` shows."""

from pathlib import Path
from typing import Any

import psutil

from imputehub.local.control import ask_supervisor
from imputehub.local.errors import NotRunningError
from imputehub.local.measurement import measure_memory
from imputehub.local.state import is_running
from imputehub.local.survivors import list_survivors
from imputehub.local.table import list_names

LEFT = "left running"


def list_processes(home: Path) -> list[dict[str, Any]]:
    """Each process as the supervisor describes it. Without a supervisor all are `stopped`, but for what a killed one
    has left running.
    """
    try:
        processes: list[dict[str, Any]] = ask_supervisor(home, "status")["processes"]
    except NotRunningError:
        left = {} if is_running(home) else {record["name"]: one for record, one in list_survivors(home)}
        return [{"name": name, "kind": kind, **_describe_left(left.get(name))} for name, kind in list_names()]
    return processes


def _describe_left(process: psutil.Process | None) -> dict[str, Any]:
    if process is None:
        return {"pid": None, "state": "stopped", "port": None, "memory_mb": 0.0, "restarts": 0}
    memory_mb = measure_memory(process.pid)
    return {"pid": process.pid, "state": LEFT, "port": None, "memory_mb": memory_mb, "restarts": 0}


def _advise(processes: list[dict[str, Any]]) -> str:
    """What to do about processes that nobody looks after any more; empty when there are none."""
    left = [process["name"] for process in processes if process["state"] == LEFT]
    if not left:
        return ""
    return (
        f"The supervisor was killed, and of what it ran still run: {', '.join(left)}. Nobody brings them back. "
        "`imputehub down` ends them; `imputehub up` ends them and starts the platform anew."
    )


def print_processes(processes: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Column, Table

    table = Table(Column("process", no_wrap=True), "kind", "state", "pid", "port", "memory (MB)", "restarts")
    for process in processes:
        state = process["state"]
        if "retry_in_s" in process:
            state += f", next try in {process['retry_in_s']} s"
        values = [process[name] for name in ("pid", "port", "memory_mb", "restarts")]
        table.add_row(process["name"], process["kind"], state, *("" if one is None else str(one) for one in values))
    Console().print(table)
    if advice := _advise(processes):
        Console(soft_wrap=True).print(advice, highlight=False)
