"""Embedded PostgreSQL: TCP on 127.0.0.1 only, passwords always (scram), no Unix sockets."""

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2
from psycopg2 import sql

from imputehub.local.children import find_free_port, guard_process, release_guard, stop_process
from imputehub.local.errors import LocalPlatformError
from imputehub.local.unprivileged import Account, find_binaries, find_server_account, make_server_directory

SUPERUSER = "postgres"
SERVER_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
START_DEADLINE_S = 30.0
MEMORY = Path("/dev/shm")  # noqa: S108 (mkdtemp makes what is used of it, for us alone)
LEAST_MEMORY_BYTES = 4 * 2**30  # a cluster of the tests takes up to 1 GiB, most of it write-ahead log
FAST_SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_wal_size": "512MB"}


@dataclass(frozen=True)
class Database:
    """One owner's database: the role has the owner's name and a password of its own."""

    name: str
    role: str
    password: str


@dataclass(frozen=True)
class PostgresqlServer:
    port: int
    password: str

    @property
    def admin_dsn(self) -> str:
        return make_dsn(Database("postgres", SUPERUSER, self.password), self.port)

    def create_database(self, prefix: str = "test") -> str:
        """A fresh empty database owned by a role of its own, as an SQLAlchemy URL."""
        name = f"{prefix}_{secrets.token_hex(6)}"
        database = Database(name, name, secrets.token_hex(16))
        create_databases(self.admin_dsn, [database])
        return make_sqlalchemy_url(database, self.port)


def make_dsn(database: Database, port: int) -> str:
    return f"postgresql://{database.role}:{database.password}@127.0.0.1:{port}/{database.name}"


def make_sqlalchemy_url(database: Database, port: int) -> str:
    return make_dsn(database, port).replace("postgresql://", "postgresql+psycopg2://", 1)


def prepare_cluster(directory: Path, password: str, *, fast: bool = False) -> Path:
    """The data directory below `directory`, made by initdb when it is not there yet.

    Made under another name and renamed when complete: what an interrupted start left behind is removed.
    """
    pgdata = directory / "pgdata"
    if pgdata.exists():
        return pgdata
    for leftover in directory.glob(".initdb-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    account = find_server_account()
    workshop = Path(tempfile.mkdtemp(dir=directory, prefix=".initdb-"))
    password_file = workshop / "password"
    password_file.touch(mode=0o600)
    password_file.write_text(password)
    if account:
        account.take_over(workshop)
        account.take_over(password_file)
    _run_initdb(workshop / "pgdata", password_file, account, fast)
    (workshop / "pgdata").rename(pgdata)
    shutil.rmtree(workshop)
    return pgdata


def _run_initdb(pgdata: Path, password_file: Path, account: Account | None, fast: bool) -> None:
    command = [str(find_binaries() / "initdb"), "-D", str(pgdata), "-U", SUPERUSER, "--pwfile", str(password_file)]
    command += ["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--locale-provider=builtin"]
    command += ["--builtin-locale=C.UTF-8", "--no-instructions", *(["--no-sync"] if fast else [])]
    result = subprocess.run(command, capture_output=True, text=True, env=SERVER_ENVIRONMENT, cwd="/", **run_as(account))
    if result.returncode != 0:
        raise LocalPlatformError(f"PostgreSQL's initdb failed in {pgdata.parent}: {result.stderr.strip()}")


def run_as(account: Account | None) -> dict[str, Any]:
    """Keyword arguments that make a subprocess run under `account`."""
    return {"user": account.uid, "group": account.gid, "extra_groups": []} if account else {}


def make_server_command(pgdata: Path, port: int, *, fast: bool = False) -> list[str]:
    settings = {
        "listen_addresses": "127.0.0.1",
        "port": str(port),
        "unix_socket_directories": "",
        "max_connections": "200",
        "shared_buffers": "64MB",
        "jit": "off",
        "timezone": "UTC",
        "log_timezone": "UTC",
        # After a crash all of some 2,500 files are synced; one by one that takes 1-4 s.
        "recovery_init_sync_method": "syncfs" if sys.platform == "linux" else "fsync",
        **(FAST_SETTINGS if fast else {}),
    }
    options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    return [str(find_binaries() / "postgres"), "-D", str(pgdata), *options]


def accepts_connections(admin_dsn: str) -> bool:
    try:
        psycopg2.connect(admin_dsn, connect_timeout=2).close()
    except psycopg2.OperationalError:
        return False
    return True


def create_databases(admin_dsn: str, databases: list[Database]) -> None:
    """Makes what is missing of roles and databases, so that each role may connect to its own only.

    Safe to repeat, also after an interruption: passwords and rights are set every time.

    Raises:
        LocalPlatformError: the server refused, in its words.
    """
    try:
        with contextlib.closing(psycopg2.connect(admin_dsn)) as connection:
            connection.autocommit = True  # CREATE DATABASE does not run inside a transaction
            with connection.cursor() as cursor:
                _create_all(cursor, databases)
    except psycopg2.Error as error:
        raise LocalPlatformError(f"PostgreSQL could not make the databases: {error}") from error


def _create_all(cursor: "psycopg2.extensions.cursor", databases: list[Database]) -> None:
    cursor.execute("REVOKE CONNECT, TEMPORARY ON DATABASE postgres, template1 FROM PUBLIC")
    for database in databases:
        _create_role(cursor, database)
        _create_database(cursor, database)


def _create_role(cursor: "psycopg2.extensions.cursor", database: Database) -> None:
    cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (database.role,))
    verb = sql.SQL("ALTER" if cursor.fetchone() else "CREATE")
    statement = sql.SQL("{} ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD {}")
    cursor.execute(statement.format(verb, sql.Identifier(database.role), sql.Literal(database.password)))


def _create_database(cursor: "psycopg2.extensions.cursor", database: Database) -> None:
    name, role = sql.Identifier(database.name), sql.Identifier(database.role)
    cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", (database.name,))
    if cursor.fetchone() is None:
        cursor.execute(sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE template0").format(name, role))
    cursor.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(name))


def _has_room() -> bool:
    return os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free >= LEAST_MEMORY_BYTES


def _make_throw_away_directory(account: Account | None) -> Path:
    """In memory: on a disk, removing what a run of tests wrote can take half a minute."""
    directory = Path(tempfile.mkdtemp(dir=MEMORY, prefix="imputehub-"))
    if account:
        account.take_over(directory)
    return directory


@contextlib.contextmanager
def run_postgresql(wanted: Path, *, fast: bool = False) -> Iterator[PostgresqlServer]:
    """A throw-away server for tests and measurements: it ends, and its data goes, with the block or with us."""
    account = find_server_account()
    directory = _make_throw_away_directory(account) if fast and _has_room() else make_server_directory(wanted)
    server = PostgresqlServer(find_free_port(), secrets.token_hex(16))
    pgdata = prepare_cluster(directory, server.password, fast=fast)
    command = make_server_command(pgdata, server.port, fast=fast)
    log = directory / "postgresql.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            stdout=output,
            stderr=output,
            env=SERVER_ENVIRONMENT,
            cwd="/",
            start_new_session=True,
            **run_as(account),
        )
    # The data go anyway: no checkpoint of all that was written is worth waiting for.
    guard = guard_process(process.pid, signal.SIGQUIT, directory)
    try:
        _wait_until_ready(process, server, log)
        yield server
    finally:
        release_guard(guard)
        stop_process(process, signal.SIGQUIT)
        shutil.rmtree(directory)


def _wait_until_ready(process: subprocess.Popen[bytes], server: PostgresqlServer, log: Path) -> None:
    deadline = time.monotonic() + START_DEADLINE_S
    while not accepts_connections(server.admin_dsn):
        if process.poll() is not None or time.monotonic() > deadline:
            raise LocalPlatformError(f"PostgreSQL did not start: {log.read_text(errors='replace')[-2000:]}")
        time.sleep(0.05)
