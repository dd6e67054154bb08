"""The log-in that the commands share: the gateway and a refresh token, in a file that only its owner can read."""

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

import typer

from imputehub.client import Client, PlatformError


def session_path() -> Path:
    """`$XDG_CONFIG_HOME/imputehub/session.json`."""
    base = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(base) / "imputehub" / "session.json"


def save_session(gateway_url: str, refresh_token: str) -> None:
    path = session_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.touch(mode=0o600)
    part.write_text(json.dumps({"gateway_url": gateway_url, "refresh_token": refresh_token}))
    part.replace(path)


@contextlib.contextmanager
def explain_errors() -> Iterator[None]:
    """What the platform says, instead of a stack trace; exit code 1."""
    try:
        yield
    except PlatformError as error:
        typer.echo(f"Error: {error.message}", err=True)
        raise typer.Exit(1) from None
    except OSError as error:
        typer.echo(f"Error: {error.strerror}: {error.filename}", err=True)
        raise typer.Exit(1) from None


@contextlib.contextmanager
def open_client() -> Iterator[Client]:
    """The client of whoever is logged in; errors end the command in clear words."""
    with explain_errors():
        try:
            session = json.loads(session_path().read_text())
            gateway_url, refresh_token = session["gateway_url"], session["refresh_token"]
        except (FileNotFoundError, ValueError, KeyError):
            raise PlatformError("Log in first: imputehub login") from None
        with Client(
            gateway_url, refresh_token=refresh_token, on_refresh=lambda token: save_session(gateway_url, token)
        ) as client:
            yield client
