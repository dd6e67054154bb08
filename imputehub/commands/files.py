"""`imputehub files …`."""

from pathlib import Path
from typing import Annotated, Any

import typer

from imputehub.client import Client
from imputehub.commands._progress import byte_progress, console, show_table
from imputehub.commands._session import open_client

app = typer.Typer(help="Upload genotypes and see what their check says.", no_args_is_help=True)


@app.command()
def upload(
    paths: Annotated[
        list[Path], typer.Argument(exists=True, dir_okay=False, readable=True, help="VCF files (.vcf.gz).")
    ],
) -> None:
    """Upload VCF files and wait for their checks; exit code 1 when one is rejected."""
    with open_client() as client:
        files = [upload_checked(client, path) for path in paths]
        for file in files:
            console.print(f"{file['filename']}: {file['status']}, id {file['id']}", highlight=False)
    if any(file["status"] == "rejected" for file in files):
        raise typer.Exit(1)


def upload_checked(client: Client, path: Path) -> dict[str, Any]:
    """The uploaded file after its check, with what the check has to say shown."""
    with byte_progress() as bars:
        task = bars.add_task(path.name, total=path.stat().st_size)
        uploaded = client.upload_file(path, lambda size: bars.advance(task, size))
    file = client.wait_until_checked(uploaded["id"])
    show_quality(client.get_quality(file["id"]))
    return file


def show_quality(quality: dict[str, Any]) -> None:
    phased = {True: "phased", False: "not phased", None: "partly phased"}[quality["phased"]]
    console.print(
        f"Check: {quality['verdict']} – {quality['build'] or 'build not known'}, {quality['samples']} samples,"
        f" {quality['variants']} sites on {', '.join(quality['chromosomes']) or 'no chromosome'}, {phased}",
        highlight=False,
    )
    for issue in quality["issues"]:
        console.print(f"  {issue['severity']}: {issue['message']} {issue['fix']}", highlight=False, markup=False)


@app.command("list")
def list_files() -> None:
    """Your files, newest first."""
    with open_client() as client:
        files = client.list_files()
    rows = ((file["id"], file["filename"], f"{file['size']:,}", file["status"], file["created_at"]) for file in files)
    show_table(("id", "name", "bytes", "status", "uploaded"), rows)
