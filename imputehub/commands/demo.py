"""`imputehub demo`."""

import json
import os
from pathlib import Path

import typer

from imputehub.commands._session import explain_errors as explain_platform_errors
from imputehub.commands.sandbox import find_sites, show_trial

app = typer.Typer()


@app.command()
def demo() -> None:
    """Start the platform if need be, run a real imputation through it, and leave it running."""
    from imputehub import cli
    from imputehub.demo.walk import walk

    cli.up(detach=True)
    home = cli.find_home()
    with cli.explain_errors():
        sites = find_sites(home)
    with explain_platform_errors():
        walk(home, sites)
        _show_log_ins(home)
        typer.echo()
        show_trial(home, sites)


def _show_log_ins(home: Path) -> None:
    known = json.loads((home / "credentials.json").read_text())
    typer.echo(f"\nThe platform goes on running at {known['gateway_url']} (stop it with: imputehub down)")
    typer.echo(f"  researchers and operators: {known['gateway_url']}/")
    typer.echo(f"  API and its documentation: {known['gateway_url']}/docs")
    typer.echo(f"  curators' admin:           {known['admin_url']}")
    for name, account in known["accounts"].items():
        typer.echo(f"  {name + ':':<13} {account['email']}  {account['password']}")
    if os.environ.get("IMPUTEHUB_HOME"):
        typer.echo(f"  state: {home}")
