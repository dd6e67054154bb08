"""`imputehub jobs …`."""

from typing import Annotated, Any
from uuid import uuid4

import typer

from imputehub.client import Client, PlatformError
from imputehub.commands._progress import console, explain_runs, follow_job, show_table
from imputehub.commands._session import open_client

app = typer.Typer(help="Submit imputation jobs and follow them.", no_args_is_help=True)

JobId = Annotated[str, typer.Argument(help="The job's id.")]


@app.command()
def submit(
    files: Annotated[list[str], typer.Argument(help="Ids of uploaded files, one per chromosome.")],
    target: Annotated[list[str], typer.Option(help="'site/panel', by name or id; repeat for several sites.")],
    build: Annotated[str, typer.Option(help="Build of the files: hg19 or hg38.")],
    name: Annotated[str, typer.Option(help="What you call the job.")] = "imputation",
    phasing: Annotated[str, typer.Option(help="eagle, beagle or no_phasing.")] = "eagle",
    population: Annotated[str | None, typer.Option(help="One of the panel's populations.")] = None,
    r2_filter: Annotated[float, typer.Option(help="Drop sites whose estimated R² is lower.")] = 0.0,
    mode: Annotated[str, typer.Option(help="imputation or qc_only.")] = "imputation",
    watch_it: Annotated[bool, typer.Option("--watch", help="Follow the job until it ends.")] = False,
) -> None:
    """Submit one job to one or several sites; prints its id."""
    with open_client() as client:
        wish = {
            "name": name,
            "input_file_ids": files,
            "build": build,
            "phasing": phasing,
            "population": population,
            "r2_filter": r2_filter,
            "mode": mode,
            "targets": [find_target(client, text) for text in target],
        }
        job = client.create_job(wish, idempotency_key=uuid4().hex)
        typer.echo(job["id"])
        if watch_it:
            _follow(client, job["id"])


def find_target(client: Client, text: str) -> dict[str, str]:
    """`site/panel` as ids. Raises `PlatformError` with the choices when one is not known."""
    site_text, _, panel_text = text.partition("/")
    site = _pick(client.list_services(), site_text, "site")
    panel = _pick(client.list_panels(site["id"]), panel_text, f"panel of '{site['name']}'")
    return {"service_id": site["id"], "panel_id": panel["id"]}


def _pick(choices: list[dict[str, Any]], text: str, what: str) -> dict[str, Any]:
    found = [item for item in choices if text in (item["id"], item["name"], item.get("panel_id"))]
    if len(found) != 1:
        names = ", ".join(item["name"] for item in choices) or "none"
        raise PlatformError(f"'{text}' is not the name or id of one {what}. There are: {names}.")
    return found[0]


@app.command()
def watch(job_id: JobId) -> None:
    """Follow a job until it ends; exit code 1 unless all of its runs were completed."""
    with open_client() as client:
        _follow(client, job_id)


def _follow(client: Client, job_id: str) -> None:
    names = {service["id"]: service["name"] for service in client.list_services()}
    job = follow_job(client.watch_job(job_id), names)
    explain_runs(job)
    console.print(f"The job is {job['status'].replace('_', ' ')}.")
    if job["status"] != "completed":
        raise typer.Exit(1)


@app.command("list")
def list_jobs(
    status: Annotated[str | None, typer.Option(help="Only jobs in this status.")] = None,
    q: Annotated[str | None, typer.Option(help="Only jobs whose name contains this.")] = None,
) -> None:
    """Your jobs, newest first."""
    with open_client() as client:
        jobs = client.list_jobs(status=status, q=q)
    rows = ((job["id"], job["name"], job["status"], f"{job['progress']:.0f}%", job["created_at"]) for job in jobs)
    show_table(("id", "name", "status", "progress", "created"), rows)


@app.command()
def cancel(job_id: JobId) -> None:
    """Cancel a job, also at its sites."""
    with open_client() as client:
        job = client.cancel_job(job_id)
    typer.echo(
        f"The job is {job['status']}." if job["status"] == "cancelled" else "The sites are being told to cancel."
    )
