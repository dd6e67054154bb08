"""Progress as people see it: bytes that travel, and runs at their sites."""

from collections.abc import Iterable
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TransferSpeedColumn,
)
from rich.table import Column, Table

console = Console()


def byte_progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn(), console=console
    )


def follow_job(updates: Iterable[dict[str, Any]], names: dict[str, str]) -> dict[str, Any]:
    """Show one bar for each run until the job has ended; `names`: service id → name. The job as it ended."""
    job: dict[str, Any] = {}
    tasks: dict[str, TaskID] = {}
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, TextColumn("{task.fields[message]}"), console=console) as bars:
        for job in updates:
            for run in job["runs"]:
                if run["id"] not in tasks:
                    title = names.get(run["service_id"], run["service_id"])
                    tasks[run["id"]] = bars.add_task(title, total=100, message="")
                words = f"{run['status']}: {run['message']}".splitlines()[0][:80]
                bars.update(tasks[run["id"]], completed=run["progress"], message=words)
    return job


def show_table(columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    # An id that is cut to fit a narrow terminal is of no use to the next command; other columns give way.
    table = Table(*(Column(name, no_wrap=name == "id") for name in columns))
    for row in rows:
        table.add_row(*row)
    console.print(table)


def explain_runs(job: dict[str, Any]) -> None:
    """Say of each failed run whose fault it is, and what to do."""
    for run in job["runs"]:
        if run["error"]:
            error = run["error"]
            console.print(f"[red]Run {run['id']} failed[/red] ({error['whose']}): {error['message']} {error['fix']}")
