"""From a state directory in whatever condition to a running platform."""

import asyncio
import contextlib
import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from imputehub.local import environment
from imputehub.local.control import ask_supervisor
from imputehub.local.credentials import Secrets, load_secrets, write_credentials, write_sandbox_accounts
from imputehub.local.errors import LocalPlatformError, NotRunningError
from imputehub.local.ports import choose_ports
from imputehub.local.postgresql import prepare_cluster
from imputehub.local.state import (
    check_space,
    explain_os_error,
    hold_lock,
    is_running,
    prepare_home,
    read_json,
    write_private,
)
from imputehub.local.supervisor import Report, Stage, Supervisor
from imputehub.local.survivors import end_stray_postmaster, end_survivors
from imputehub.local.table import Installation, build_stages, has_wes_site
from imputehub.local.unprivileged import make_server_directory

DOWN_DEADLINE_S = 90.0
FULL_MB = 20  # below this a failed start is the disk's doing


def run_platform(
    home: Path,
    environ: Mapping[str, str],
    report: Report,
    ready: Callable[[], None],
    describe: Callable[[Installation], list[Stage]] = build_stages,
) -> None:
    """Runs the stages that `describe` gives until it is told to stop.

    Raises:
        LocalPlatformError: it could not be started; the message says why and what to do.
    """
    try:
        prepare_home(home)
        with hold_lock(home):
            site = prepare_installation(home, environ, report)
            asyncio.run(Supervisor(home, describe(site), site.tokens, report).run(ready))
    except OSError as error:
        raise explain_os_error(error, home) from error
    except LocalPlatformError as error:  # initdb, databases, or a process that does not stay up
        check_space(home, FULL_MB, str(error))
        raise


def prepare_installation(home: Path, environ: Mapping[str, str], report: Report) -> Installation:
    """Ends what an earlier supervisor left, chooses ports, makes secrets and PostgreSQL's data directory."""
    report_survivors(home, report)
    absent = () if has_wes_site() else ("sandbox_wes",)
    ports = choose_ports(environ, read_json(home / "ports.json", {}), absent)
    write_private(home / "ports.json", ports)
    server_directory = make_server_directory(home / "postgresql")
    write_private(home / "postgresql.json", {"directory": str(server_directory)})
    check_space(server_directory)
    pgdata = server_directory / "pgdata"
    end_stray_postmaster(pgdata)
    owner = server_directory / "installation"
    secret = load_secrets(home, has_data=pgdata.exists() and (home / "credentials.json").exists())
    discard_foreign_data(pgdata, owner, secret)
    if not pgdata.exists():
        report("Making PostgreSQL's data directory")
        owner.write_text(secret["installation"])
        prepare_cluster(server_directory, secret["postgresql"])
    write_accounts(home, secret, ports, environ)
    return Installation(home, pgdata, secret, ports, environ)


def report_survivors(home: Path, report: Report) -> None:
    if names := end_survivors(home):
        report(f"Ended what an earlier supervisor had left running: {', '.join(names)}")


def discard_foreign_data(pgdata: Path, owner: Path, secret: Secrets) -> None:
    """Removes a data directory that initdb left unfinished, or whose state directory has been removed since.

    Root's data lives apart from the state directory; without the secrets of that, nobody can read it.
    """
    complete = (pgdata / "global" / "pg_control").exists() and (pgdata / "PG_VERSION").exists()
    ours = owner.exists() and owner.read_text() == secret["installation"]
    if pgdata.exists() and not (complete and ours):
        shutil.rmtree(pgdata)


def write_accounts(home: Path, secret: Secrets, ports: Mapping[str, int], environ: Mapping[str, str]) -> None:
    urls = environment.list_database_urls(environ, secret, ports).values()
    plain = [url.replace("+psycopg2", "", 1) for url in urls]
    databases = {url.rsplit("/", 1)[1].split("?")[0]: url for url in plain}
    write_credentials(home, secret, environment.make_http_url(ports["api_gateway"]), databases)
    write_sandbox_accounts(home, secret)


def stop_platform(home: Path) -> bool:
    """Stops the supervisor with all it runs, or what a killed one left; False when nothing was running.

    Raises:
        LocalPlatformError: the supervisor would not end.
    """
    if not is_running(home):
        left = end_survivors(home) if home.exists() else []
        return bool(left)
    deadline = time.monotonic() + DOWN_DEADLINE_S
    while is_running(home):
        with contextlib.suppress(NotRunningError):  # it is still preparing, or already leaving
            ask_supervisor(home, "down")
        if time.monotonic() > deadline:
            raise LocalPlatformError(f"The platform did not stop within {DOWN_DEADLINE_S:.0f} s")
        time.sleep(0.1)
    return True
