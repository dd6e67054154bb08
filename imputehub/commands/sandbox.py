"""`imputehub sandbox …`: how to try the demonstration's sites, and what may be made to go wrong at the first."""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from imputehub.commands._session import explain_errors as explain_platform_errors

app = typer.Typer(invoke_without_command=True, add_completion=False)
SITE = "sandbox_site"


@app.callback()
def sandbox(context: typer.Context) -> None:
    """Show what a new researcher needs to try the demonstration's sites: genotypes, and a token for each site.

    The commands below make the Cloudgene-compatible site misbehave, so that you can watch what the platform does.
    """
    if context.invoked_subcommand is None:
        with _explaining() as home:
            show_trial(home, find_sites(home))


@app.command()
def state() -> None:
    """Show what the site was told to be like, and the faults that it knows."""
    _control(None)


@app.command()
def fault(
    name: Annotated[str, typer.Argument(help="One of those that `imputehub sandbox state` lists as known.")],
    on: Annotated[
        str | None,
        typer.Option(
            help="Where: any, submit, list, job, cancel, restart, download, server, token, run; else its usual place."
        ),
    ] = None,
    times: Annotated[int | None, typer.Option(help="How often; until `calm` if left out.")] = None,
) -> None:
    """Let something go wrong, in addition to what already does."""
    _control(lambda now: {"faults": [*now["faults"], {"fault": name, "on": on, "times": times}]})


@app.command()
def calm() -> None:
    """Take all faults back, and end the maintenance and the pause."""
    _control(lambda _now: {"faults": [], "maintenance": "", "paused": False})


@app.command()
def forward(
    days: Annotated[float, typer.Argument(help="Tokens expire, and results are deleted, as time goes by.")],
) -> None:
    """Put the site's clock forward; its restart sets it right again."""
    _control(lambda _now: {"advance_days": days})


@app.command()
def maintenance(words: Annotated[str, typer.Argument(help="What the site says meanwhile.")]) -> None:
    """Let the site rest."""
    _control(lambda _now: {"maintenance": words})


@app.command()
def pause() -> None:
    """Let jobs wait in the site's queue."""
    _control(lambda _now: {"paused": True})


@contextlib.contextmanager
def _explaining() -> Iterator[Path]:
    from imputehub import cli

    with cli.explain_errors(), explain_platform_errors():
        yield cli.find_home()


def _control(change: Any) -> None:
    """Ask the site what it was told, tell it `change` of that, and show how it is then."""

    with _explaining() as home:
        url = f"{find_sites(home)[SITE]}/sandbox/control"
        key = (home / "sandbox" / "site" / "control.key").read_text(encoding="utf-8")
        now = call_control(url, key, None)
        typer.echo(json.dumps(now if change is None else call_control(url, key, change(now)), indent=2))


def call_control(url: str, key: str, wish: dict[str, Any] | None) -> dict[str, Any]:
    """How the site is; with a wish, how it is then. Raises `PlatformError` with the site's words."""
    import httpx

    from imputehub.client import PlatformError

    headers = {"X-Sandbox-Key": key}
    answer = httpx.get(url, headers=headers) if wish is None else httpx.post(url, headers=headers, json=wish)
    if not answer.is_success:
        raise PlatformError(f"The sandbox's site refused it ({answer.status_code}): {answer.text[:500]}")
    found: dict[str, Any] = answer.json()
    return found


def find_sites(home: Path) -> dict[str, str]:
    """The addresses of the sandbox's sites by the names of their processes. Raises `NotRunningError`."""
    from imputehub.local.errors import NotRunningError
    from imputehub.local.overview import list_processes

    running = [one for one in list_processes(home) if one["kind"] == "sandbox" and one["state"] == "ready"]
    if not running:
        raise NotRunningError("The sandbox's sites are not running; start them with `make demo`")
    return {one["name"]: f"http://127.0.0.1:{one['port']}" for one in running}


def show_trial(home: Path, sites: dict[str, str]) -> None:
    """Tokens stand on a line of their own, so that a double click takes all of one."""
    from imputehub.demo.newcomer import prepare_trial

    trial = prepare_trial(home, sites)
    typer.echo("To try it yourself in the browser, register there as a new researcher (README: For researchers).")
    typer.echo(f"  Genotypes to upload: {trial.genotypes}")
    typer.echo('  Your tokens, to paste under "Your access to this site" on the page of')
    for site, token in trial.tokens.items():
        typer.echo(f"  {site}:\n{token}")
    typer.echo("  (`imputehub sandbox` shows them again.)")
