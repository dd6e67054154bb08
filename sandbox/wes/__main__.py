"""`python -m sandbox.wes --port P --data-dir DIR --venv DIR`: one WES site.

`--venv` is an environment with what `requirements.lock` names; it is used, never made. The process becomes sapporo.
"""

import argparse
import os
import sys
from pathlib import Path
from typing import NoReturn

from sandbox.engine.choice import ENGINE_NAMES
from sandbox.wes.accounts import AccountsFileError, write_auth_config
from sandbox.wes.settings import WesSettings

HERE = Path(__file__).parent
CANCEL_SECONDS = 5


def read_arguments() -> argparse.Namespace:
    """The command line; the environment only says which engine is the default (`SANDBOX_ENGINE`)."""
    parser = argparse.ArgumentParser(prog="sandbox.wes", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8102)
    parser.add_argument("--data-dir", type=Path, required=True, help="runs and settings; made if missing")
    parser.add_argument("--venv", type=Path, required=True, help="environment made from sandbox/wes/requirements.lock")
    parser.add_argument("--panels", type=Path, help="folder with one folder for each panel (default: DATA-DIR/panels)")
    parser.add_argument("--accounts", type=Path, help="JSON list of username and password; without it nobody logs in")
    parser.add_argument("--engine", choices=ENGINE_NAMES, default=os.environ.get("SANDBOX_ENGINE", "auto"))
    for name in ("processes", "chunk_size", "overlap"):
        parser.add_argument(f"--{name.replace('_', '-')}", type=int, default=getattr(WesSettings, name))
    return parser.parse_args()


def prepare_site(arguments: argparse.Namespace) -> list[str]:
    """Writes what sapporo and the runs read, and gives sapporo's options. Raises AccountsFileError."""
    data = arguments.data_dir.resolve()
    (data / "runs").mkdir(parents=True, exist_ok=True)
    panels = (arguments.panels or data / "panels").resolve()
    numbers = {name: getattr(arguments, name) for name in ("processes", "chunk_size", "overlap")}
    WesSettings(panels, arguments.engine, **numbers).write(data / "settings.json")
    options = [
        *("--host", arguments.host, "--port", str(arguments.port)),
        *("--run-dir", str(data / "runs"), "--run-sh", str(HERE / "run.sh")),
        *("--service-info", str(HERE / "service_info.json"), "--cancel-grace-seconds", str(CANCEL_SECONDS)),
    ]
    if arguments.accounts:
        write_auth_config(data / "auth.json", arguments.accounts)
        options += ["--auth-config", str(data / "auth.json")]
    return options


def list_environment(data_dir: Path) -> dict[str, str]:
    """Ours without what would change sapporo's settings or packages, and with what `run.sh` needs."""
    foreign = ("SAPPORO_", "PYTHON", "VIRTUAL_ENV")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return kept | {
        "SANDBOX_WES_PYTHON": sys.executable,
        "SANDBOX_WES_ROOT": str(HERE.parent.parent),
        "SANDBOX_WES_SETTINGS": str(data_dir.resolve() / "settings.json"),
    }


def open_line() -> None:
    """Makes standard input a line that ends with this process, however that dies: each run inherits its reading end
    from sapporo, and sapporo alone holds the writing end."""
    reading, writing = os.pipe()
    os.dup2(reading, 0)
    os.close(reading)
    os.set_inheritable(writing, True)


def become_sapporo(python: Path, options: list[str], data_dir: Path) -> NoReturn:
    open_line()
    os.chdir(data_dir)
    os.execve(python, [str(python), "-m", "sapporo.app", *options], list_environment(data_dir))  # noqa: S606


def main() -> int:
    """Exit code 2 when the site cannot start as it was told to."""
    arguments = read_arguments()
    os.umask(0o077)  # genotypes are nobody else's business on a shared machine
    python = arguments.venv.absolute() / "bin" / "python"
    if not python.exists():
        lock = HERE / "requirements.lock"
        sys.stderr.write(f"There is no {python}: make that environment and install {lock} into it.\n")
        return 2
    try:
        options = prepare_site(arguments)
    except AccountsFileError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    become_sapporo(python, options, arguments.data_dir.resolve())


if __name__ == "__main__":
    sys.exit(main())
