"""What `imputehub status` shows."""

from pathlib import Path
from typing import Any

from imputehub.local.control import ask_supervisor
from imputehub.local.errors import NotRunningError
from imputehub.local.table import list_names


def list_processes(home: Path) -> list[dict[str, Any]]:
    """Each process as the supervisor describes it; all are `stopped` when there is no supervisor."""
    try:
        processes: list[dict[str, Any]] = ask_supervisor(home, "status")["processes"]
    except NotRunningError:
        nothing = {"pid": None, "state": "stopped", "port": None, "memory_mb": 0.0, "restarts": 0}
        return [{"name": name, "kind": kind, **nothing} for name, kind in list_names()]
    return processes


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
