"""Who does what only one process may do: the one whose connection holds an advisory lock of the database.

PostgreSQL frees the lock when the connection ends. That is at once when the process dies, and within
`SILENT_FOR_S` when it hangs or its machine is gone, since the server then ends a session that has become silent.
"""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any

import psycopg2
from psycopg2.extensions import connection as Connection  # noqa: N812 (a class, whatever its name)

from microservices.kernel.db import Database
from microservices.kernel.logs import get_logger
from microservices.kernel.races import run_until_one_ends
from microservices.service_registry.logic.bells import open_connection

SILENT_FOR_S = 15
_BEAT_S = 4.0
_BEAT_WITHIN_S = 8.0
_ASK_AGAIN_S = 3.0
_LOCK = 0x494D5055  # any number, the same in all processes of this service
_SERVER_OPTIONS = {
    "idle_session_timeout": SILENT_FOR_S * 1000,
    "statement_timeout": 5000,
    "tcp_keepalives_idle": 5,
    "tcp_keepalives_interval": 3,
    "tcp_keepalives_count": 3,
}

log = get_logger(__name__)


async def lead_when_free(database: Database, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """For ever: wait for the lead, do `work` while it is held, and end it when the lead is lost."""
    while True:
        try:
            async with _connected(database) as connection:
                await _wait_for_lead(connection)
                log.info("lead_taken", pid=os.getpid())
                await run_until_one_ends(_keep_lead(connection), work())
        except (psycopg2.Error, TimeoutError) as error:
            log.warning("lead_not_held", error=str(error).strip()[:300] or repr(error))
        except Exception:
            log.exception("leading_failed")
        await asyncio.sleep(_ASK_AGAIN_S)


@asynccontextmanager
async def _connected(database: Database) -> AsyncIterator[Connection]:
    """Closed in such a way that a statement which waits for an answer in another thread ends too."""
    connection = await asyncio.to_thread(_connect, database)
    try:
        yield connection
    finally:
        with suppress(psycopg2.Error, OSError), socket.socket(fileno=os.dup(connection.fileno())) as line:
            line.shutdown(socket.SHUT_RDWR)
        connection.close()


def _connect(database: Database) -> Connection:
    options = " ".join(f"-c {name}={value}" for name, value in _SERVER_OPTIONS.items())
    return open_connection(database, "service_registry lead", options)


async def _wait_for_lead(connection: Connection) -> None:
    while True:
        if await _ask(connection, f"SELECT pg_try_advisory_lock({_LOCK})"):
            return
        await asyncio.sleep(_ASK_AGAIN_S)


async def _keep_lead(connection: Connection) -> None:
    """Raises when the connection, and with it the lead, is lost."""
    while True:
        await asyncio.sleep(_BEAT_S)
        await _ask(connection, "SELECT true")


async def _ask(connection: Connection, statement: str) -> bool:
    async with asyncio.timeout(_BEAT_WITHIN_S):
        return await asyncio.to_thread(_fetch, connection, statement)


def _fetch(connection: Connection, statement: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        row = cursor.fetchone()
    return bool(row and row[0])
