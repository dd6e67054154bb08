"""`imputehub logout`."""

import typer

from imputehub.client import PlatformError
from imputehub.commands._session import open_client, session_path

app = typer.Typer()


@app.command()
def logout() -> None:
    """End the log-in of this machine's commands, on the platform too."""
    if not session_path().exists():
        typer.echo("Nobody was logged in.")
        return
    with open_client() as client:
        try:
            client.call("POST", "/api/v1/auth/logout")
        except PlatformError as error:
            # A log-in that has ended already is what was wanted; a platform that is away could not end it.
            if error.status not in (400, 401):
                raise
    session_path().unlink(missing_ok=True)
    typer.echo("Logged out.")
