"""From PostgreSQL to the hub: one connection per process listens, whatever the number of clients.

A notification only wakes it; what is new is read from the log after the last known number, so that nothing is missing
after a restart of PostgreSQL.
"""

import asyncio
import os
import select
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from typing import Any

import psycopg2
from sqlalchemy.exc import SQLAlchemyError

from microservices.kernel.db import Database, utc_now
from microservices.kernel.logs import get_logger
from microservices.notification import queries
from microservices.notification.logic.live_hub import Hub
from microservices.notification.logic.live_log import write_figures, write_messages

_LOOK_EVERY_S = 5
_WITHOUT_DATABASE_S = 0.5
_FORGET_EVERY_S = 3600
_PAGE = 500

log = get_logger(__name__)


class LiveListener:
    """Works in a thread of its own; the hub is spoken to on `loop` only."""

    def __init__(self, database: Database, hub: Hub, loop: asyncio.AbstractEventLoop, keep: timedelta) -> None:
        self._database = database
        self._hub = hub
        self._loop = loop
        self._keep = keep
        self._log_name = ""
        self._position = 0
        self._figures: dict[str, datetime] = {}
        self._forget_at = time.monotonic()

    def follow(self, stop: int) -> None:
        """Until `stop` (a file descriptor) can be read. A database that is away costs a pause."""
        url = self._database.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
        while True:
            try:
                with closing(psycopg2.connect(url, connect_timeout=5)) as connection:
                    connection.autocommit = True
                    connection.cursor().execute(f"LISTEN {queries.LIVE_CHANNEL}")
                    if self._follow_while_connected(connection, stop):
                        return
            except (psycopg2.Error, SQLAlchemyError) as error:
                log.warning("live_events_wait_for_database", error=str(error).strip()[:300])
            if select.select([stop], [], [], _WITHOUT_DATABASE_S)[0]:
                return

    def _follow_while_connected(self, connection: Any, stop: int) -> bool:
        while True:
            self._publish_new()
            self._publish_figures()
            self._forget_old()
            ready, _, _ = select.select([connection, stop], [], [], _LOOK_EVERY_S)
            if stop in ready:
                return True
            connection.poll()
            connection.notifies.clear()

    def _publish_new(self) -> None:
        if not self._log_name:
            self._open()
        while True:
            with self._database.transaction() as session:
                messages = write_messages(self._log_name, queries.list_live_events(session, self._position, _PAGE))
            if not messages:
                return
            self._position = messages[-1].number
            self._loop.call_soon_threadsafe(self._hub.publish, messages)

    def _publish_figures(self) -> None:
        with self._database.transaction() as session:
            figures = [one for one in queries.list_figures(session) if one.measured_at != self._figures.get(one.type)]
        if figures:
            self._figures |= {one.type: one.measured_at for one in figures}
            self._loop.call_soon_threadsafe(self._hub.publish_figures, [write_figures(one) for one in figures])

    def _open(self) -> None:
        with self._database.transaction() as session:
            live_log = queries.get_live_log(session)
        self._log_name, self._position = live_log.name, live_log.last_id
        self._loop.call_soon_threadsafe(self._hub.open, self._log_name, self._position)

    def _forget_old(self) -> None:
        if time.monotonic() < self._forget_at:
            return
        self._forget_at = time.monotonic() + _FORGET_EVERY_S
        with self._database.transaction() as session:
            queries.forget_live_events(session, utc_now() - self._keep)


@contextmanager
def listening(listener: LiveListener) -> Iterator[None]:
    stop_reader, stop_writer = os.pipe()
    thread = threading.Thread(target=listener.follow, args=(stop_reader,), name="live-events")
    thread.start()
    try:
        yield
    finally:
        os.write(stop_writer, b"x")
        thread.join(timeout=15)
        os.close(stop_writer)
        os.close(stop_reader)
