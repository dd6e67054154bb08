"""`imputehub login`."""

import os
from typing import Annotated

import typer

from imputehub.client import Client, PlatformError
from imputehub.commands._session import explain_errors, save_session
from imputehub.local.state import find_home, is_running, read_json

app = typer.Typer()


@app.command()
def login(
    email: Annotated[str, typer.Option(help="The account's e-mail address; asked for when it is not given.")] = "",
    password: Annotated[str, typer.Option(envvar="IMPUTEHUB_PASSWORD", help="Better not here: it is asked for.")] = "",
    gateway: Annotated[
        str, typer.Option(help="The platform's address; by default that of the one that runs on this machine.")
    ] = "",
    otp: Annotated[
        str, typer.Option(help="Code of the account's second factor, or a recovery code; asked for when it needs one.")
    ] = "",
) -> None:
    """Log in to a platform; the other commands then use it."""
    with explain_errors():
        address = gateway or find_local_gateway() or _ask("The platform's address")
        account = email or _ask(f"E-mail address of your account at {address}")
        secret = password or _ask("Password", hide_input=True)
        with Client(address, on_refresh=lambda token: save_session(address, token)) as client:
            _log_in(client, account, secret, otp)
            me = client.me()
    typer.echo(f"Logged in to {address} as {me['email']}.")


def _log_in(client: Client, email: str, password: str, otp: str) -> None:
    """Only the platform knows whether the account has a second factor."""
    try:
        client.log_in(email, password, otp)
    except PlatformError as error:
        if error.code != "otp_required":
            raise
        client.log_in(email, password, _ask("Code of your authenticator app, or a recovery code"))


def _ask(question: str, *, hide_input: bool = False) -> str:
    return str(typer.prompt(question, hide_input=hide_input))


def find_local_gateway() -> str:
    """The address of this machine's own platform; empty while it does not run."""
    home = find_home(os.environ)
    if not is_running(home):
        return ""
    return str(read_json(home / "credentials.json", {}).get("gateway_url", ""))
