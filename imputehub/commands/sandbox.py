"""`imputehub sandbox`."""

from pathlib import Path

import typer

from imputehub.commands._session import explain_errors as explain_platform_errors

app = typer.Typer()


@app.command()
def sandbox() -> None:
    """Show what a new researcher needs to try the demonstration's sites: genotypes, and a token for each site."""
    from imputehub import cli

    home = cli.find_home()
    with cli.explain_errors(), explain_platform_errors():
        show_trial(home, find_sites(home))


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
