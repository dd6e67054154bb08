"""`imputehub results …`."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from imputehub.client import Client, PlatformError
from imputehub.commands._progress import byte_progress
from imputehub.commands._session import open_client

app = typer.Typer(help="Fetch what the sites have imputed.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """Keeps `download` a command of its own while it is the only one."""


@app.command()
def download(
    job_id: Annotated[str, typer.Argument(help="The job's id.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder; each run gets one of its own in it.")
    ] = Path(),
    archive: Annotated[Path | None, typer.Option(help="All as one zip, into this file.")] = None,
) -> None:
    """Download a job's results; each file's SHA-256 is checked, and what was cut off goes on."""
    with open_client() as client:
        paths = [download_archive(client, job_id, archive)] if archive else download_all(client, job_id, output)
    for path in paths:
        typer.echo(str(path))


def download_archive(client: Client, job_id: str, target: Path) -> Path:
    """Its length is not known before its end, so a download that broke off begins anew."""
    with byte_progress() as bars:
        task = bars.add_task(target.name, total=None)
        client.download_archive(job_id, target, partial(bars.advance, task))
    return target


def download_all(client: Client, job_id: str, folder: Path) -> list[Path]:
    """Every result file of the job, in `folder/<run id>/`; those that are there already are fetched again."""
    results = client.list_results(job_id)
    if not results:
        raise PlatformError("The job has no results (yet).")
    paths = []
    with byte_progress() as bars:
        for result in results:
            task = bars.add_task(result["filename"], total=result["size"])
            advance = partial(bars.advance, task)
            paths.append(client.download_result(result, folder / result["run_id"], advance))
    return paths
