"""`imputehub login`."""

from typing import Annotated

import typer

from imputehub.client import Client
from imputehub.commands._session import explain_errors, save_session

app = typer.Typer()


@app.command()
def login(
    email: Annotated[str, typer.Option(prompt=True, help="The account's e-mail address.")],
    password: Annotated[str, typer.Option(prompt=True, hide_input=True, envvar="IMPUTEHUB_PASSWORD")],
    gateway: Annotated[str, typer.Option(help="The platform's address.")] = "http://127.0.0.1:8000",
) -> None:
    """Log in to a platform; the other commands then use it."""
    with explain_errors():
        with Client(gateway, on_refresh=lambda token: save_session(gateway, token)) as client:
            client.log_in(email, password)
            me = client.me()
        typer.echo(f"Logged in to {gateway} as {me['email']}.")
