"""Waking coroutines when a transaction commits somewhere: PostgreSQL's NOTIFY, heard on the event loop."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Protocol

import psycopg2
from psycopg2.extensions import connection as Connection  # noqa: N812 (a class, whatever its name)

from microservices.kernel.db import Database
from microservices.kernel.logs import get_logger

_RECONNECT_S = 1

log = get_logger(__name__)


class Ringing(Protocol):
    def ring(self) -> None: ...


class Bell:
    """Wakes all who wait. Take a `ticket` before looking at the database: a ring after it is not missed."""

    def __init__(self) -> None:
        self._next = asyncio.Event()

    def ticket(self) -> asyncio.Event:
        return self._next

    def ring(self) -> None:
        self._next.set()
        self._next = asyncio.Event()


async def wait_for_ring(ticket: asyncio.Event, at_most_s: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(at_most_s):
            await ticket.wait()


async def listen_for_rings(database: Database, bells: Mapping[str, Ringing], tell: Callable[[bool], None]) -> None:
    """Ring `bells` (by channel) for ever. `tell` is told whether we hear.

    While the database is away nobody is woken, and time-outs have to do.
    """
    while True:
        try:
            connection = await asyncio.to_thread(_connect, database, list(bells))
            try:
                await _ring_while_connected(connection, bells, tell)
            finally:
                tell(False)
                connection.close()
        except psycopg2.Error as error:
            log.warning("listener_waits_for_database", error=str(error).strip()[:300])
        await asyncio.sleep(_RECONNECT_S)


def open_connection(database: Database, application_name: str, options: str = "") -> Connection:
    """One of its own, in autocommit; one whose other end has vanished is given up within 15 s."""
    url = database.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    connection: Connection = psycopg2.connect(
        url,
        connect_timeout=5,
        keepalives_idle=5,
        keepalives_interval=3,
        keepalives_count=3,
        tcp_user_timeout=10_000,
        application_name=application_name,
        options=options,
    )
    connection.autocommit = True
    return connection


def _connect(database: Database, channels: list[str]) -> Connection:
    connection = open_connection(database, "service_registry listener")
    for channel in channels:
        connection.cursor().execute(f"LISTEN {channel}")
    return connection


async def _ring_while_connected(
    connection: Connection, bells: Mapping[str, Ringing], tell: Callable[[bool], None]
) -> None:
    """Rings in the order of `bells`. Raises `psycopg2.Error` when the connection ends."""
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    descriptor = connection.fileno()
    loop.add_reader(descriptor, readable.set)
    try:
        for bell in bells.values():  # something may have been rung before we were there to hear it
            bell.ring()
        tell(True)
        while True:
            await readable.wait()
            readable.clear()
            connection.poll()
            heard = {notice.channel for notice in connection.notifies}
            for channel in [channel for channel in bells if channel in heard]:
                bells[channel].ring()
            connection.notifies.clear()
    finally:
        loop.remove_reader(descriptor)
