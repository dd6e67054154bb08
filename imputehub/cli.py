"""`imputehub`: the local platform's commands, and one more per module of `imputehub.commands`.

Everything heavy is imported by the command that needs it, so that each starts quickly.
"""

import contextlib
import json
import os
import pkgutil
import sys
from collections.abc import Iterator
from importlib import import_module, util
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from imputehub.local.errors import LocalPlatformError

COMMANDS = "imputehub.commands"


class CommandGroup(TyperGroup):
    """Finds further commands by name: `imputehub.commands.<name>` holds a Typer application called `app`."""

    def list_commands(self, ctx: Any) -> list[str]:
        return [*super().list_commands(ctx), *_list_modules()]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        known = super().get_command(ctx, cmd_name)
        if known is not None or cmd_name not in _list_modules():
            return known
        command = typer.main.get_command(import_module(f"{COMMANDS}.{cmd_name}").app)
        command.name = cmd_name
        return command


def _list_modules() -> list[str]:
    spec = util.find_spec(COMMANDS)
    if spec is None or spec.submodule_search_locations is None:
        return []
    modules = pkgutil.iter_modules(spec.submodule_search_locations)
    return [module.name for module in modules if not module.name.startswith("_")]


app = typer.Typer(
    cls=CommandGroup,
    help="ImputeHub: one front door to genotype imputation sites.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

Service = Annotated[str, typer.Argument(help="A process's name, as `imputehub status` lists it.")]


@contextlib.contextmanager
def explain_errors() -> Iterator[None]:
    """What a person can act on, instead of a stack trace; exit code 1."""
    try:
        yield
    except LocalPlatformError as error:
        typer.echo(f"Error: {error}", err=True)
        raise typer.Exit(1) from None
    except OSError as error:
        from imputehub.local.state import explain_os_error

        typer.echo(f"Error: {explain_os_error(error, find_home())}", err=True)
        raise typer.Exit(1) from None


def find_home() -> Path:
    from imputehub.local import state

    return state.find_home(os.environ)


@app.command()
def up(
    detach: Annotated[
        bool, typer.Option("--detach", "-d", help="Return when everything is ready; it goes on running.")
    ] = False,
) -> None:
    """Start the platform on this machine. Without --detach it runs until Ctrl-C."""
    from imputehub.local.state import is_running

    home = find_home()
    with explain_errors():
        if is_running(home):
            _await_other_start(home)
        elif detach:
            from imputehub.local.detached import start_detached

            start_detached(home, os.environ, typer.echo)
            _show_addresses(home)
        else:
            _run_here(home)


def _await_other_start(home: Path) -> None:
    from imputehub.local.detached import await_running

    typer.echo("The platform is already running.")
    await_running(home)
    _show_addresses(home)


def _run_here(home: Path) -> None:
    from imputehub.local.startup import run_platform

    def show_ready() -> None:
        _show_addresses(home)
        typer.echo("Ctrl-C stops it.")

    run_platform(home, os.environ, typer.echo, show_ready)
    typer.echo("The platform has stopped.")


def _show_addresses(home: Path) -> None:
    path = home / "credentials.json"
    known = json.loads(path.read_text())
    typer.echo(f"ImputeHub is ready at {known['gateway_url']} (admin: {known['admin_url']}); log-ins: {path}")


@app.command()
def down() -> None:
    """Stop the platform with everything it runs."""
    from imputehub.local.startup import stop_platform

    with explain_errors():
        stopped = stop_platform(find_home())
    typer.echo("The platform has stopped." if stopped else "The platform was not running.")


@app.command()
def status(
    as_json: Annotated[bool, typer.Option("--json", help="For scripts.")] = False,
) -> None:
    """Show every process: its state, port, memory and how often it was brought back."""
    from imputehub.local.overview import list_processes

    with explain_errors():
        processes = list_processes(find_home())
    if as_json:
        typer.echo(json.dumps(processes, indent=2))
    else:
        from imputehub.local.overview import print_processes

        print_processes(processes)


@app.command()
def start(service: Service) -> None:
    """Start one process that was stopped; returns when it is ready."""
    _change("start", service, "is ready")


@app.command()
def stop(service: Service) -> None:
    """Stop one process; it stays stopped until it is started."""
    _change("stop", service, "has stopped")


@app.command()
def restart(service: Service) -> None:
    """Stop and start one process; returns when it is ready."""
    _change("restart", service, "is ready again")


def _change(verb: str, service: str, outcome: str) -> None:
    from imputehub.local.control import ask_supervisor

    with explain_errors():
        ask_supervisor(find_home(), verb, service)
    typer.echo(f"{service} {outcome}.")


@app.command()
def logs(
    service: Annotated[str, typer.Argument(help="One process; without it, all.")] = "",
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on showing what comes.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, help="How many last lines of each.")] = 50,
) -> None:
    """Show what a process has written."""
    from imputehub.local.logs import find_logs, follow_logs, read_tail

    with explain_errors(), contextlib.suppress(KeyboardInterrupt, BrokenPipeError):
        paths = find_logs(find_home(), service)
        width = 0 if service else max(map(len, paths))
        for name, path in paths.items():
            for line in read_tail(path, lines):
                _show_line(name, line, width)
        for name, line in follow_logs(paths) if follow else ():
            _show_line(name, line, width)


def _show_line(name: str, line: str, width: int) -> None:
    typer.echo(f"{name:{width}} | {line}" if width else line)
    sys.stdout.flush()
