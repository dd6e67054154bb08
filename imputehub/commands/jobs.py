"""`imputehub jobs …`."""

from typing import Annotated, Any
from uuid import uuid4

import typer

from imputehub.client import Client, PlatformError
from imputehub.commands._progress import console, explain_runs, follow_job, show_table
from imputehub.commands._session import open_client
from imputehub.commands._targets import find_targets, pick

app = typer.Typer(help="Submit imputation jobs and follow them.", no_args_is_help=True)

JobId = Annotated[str, typer.Argument(help="The job's id.")]


@app.command()
def submit(
    files: Annotated[list[str], typer.Argument(help="Ids of uploaded files, one per chromosome.")],
    target: Annotated[list[str] | None, typer.Option(help="'site/panel', by name or id; repeat for several.")] = None,
    alternate: Annotated[
        list[str] | None, typer.Option(help="'site/panel' for a run whose site cannot take it; repeat, best first.")
    ] = None,
    build: Annotated[str | None, typer.Option(help="Build of the files: hg19 or hg38.")] = None,
    template: Annotated[str | None, typer.Option(help="Name or id: what is not given here is as it says.")] = None,
    name: Annotated[str | None, typer.Option(help="What you call the job.")] = None,
    phasing: Annotated[str | None, typer.Option(help="eagle (default), beagle or no_phasing.")] = None,
    population: Annotated[str | None, typer.Option(help="One of the panel's populations.")] = None,
    r2_filter: Annotated[float | None, typer.Option(help="Drop sites whose estimated R² is lower.")] = None,
    mode: Annotated[str | None, typer.Option(help="imputation (default) or qc_only.")] = None,
    priority: Annotated[str | None, typer.Option(help="low, normal (default) or high.")] = None,
    country: Annotated[
        list[str] | None, typer.Option(help="Where the data may go, such as ZA; repeat. Without it: anywhere.")
    ] = None,
    watch_it: Annotated[bool, typer.Option("--watch", help="Follow the job until it ends.")] = False,
) -> None:
    """Submit one job to one or several sites, of its own or a template's; prints its id."""
    given = {
        "input_file_ids": files,
        "name": name or (None if template else "imputation"),
        "build": build,
        "phasing": phasing,
        "population": population,
        "r2_filter": r2_filter,
        "mode": mode,
        "priority": priority,
        "residency": {"countries": [code.upper() for code in country]} if country else None,
    }
    with open_client() as client:
        wish = {key: value for key, value in given.items() if value is not None}
        wish |= _find_choices(client, template, target or [], alternate or [])
        job = client.create_job(wish, idempotency_key=uuid4().hex)
        typer.echo(job["id"])
        if watch_it:
            _follow(client, job["id"])


def _find_choices(client: Client, template: str | None, targets: list[str], alternates: list[str]) -> dict[str, Any]:
    if alternates and not targets:
        raise PlatformError("Say the --target of which this is the --alternate.")
    if not targets and not template:
        raise PlatformError("Say a --target, or a --template that has some.")
    chosen = {"template_id": pick(client.list_templates(), template, "template")["id"]} if template else {}
    return chosen | ({"targets": find_targets(client, targets, alternates)} if targets else {})


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
