"""The access log: rows wait in memory for a moment and are written many at once; a full queue drops, and says so."""

import asyncio
from collections import deque
from datetime import timedelta
from typing import Any

import psycopg2
from sqlalchemy.exc import SQLAlchemyError

from microservices.api_gateway.queries import delete_access_rows, insert_access_rows
from microservices.kernel.db import Database, utc_now
from microservices.kernel.logs import get_logger

_WRITE_EVERY_S = 1.0
_ROWS_AT_ONCE = 5_000
_ROWS_WAITING = 50_000
_PRUNE_EVERY_S = 3600

log = get_logger(__name__)


class AccessLog:
    """`add` costs nothing worth naming and never waits. `dropped`: rows that found the queue full."""

    def __init__(self, database: Database, *, keep_days: int, room: int = _ROWS_WAITING) -> None:
        self._database = database
        self._keep = timedelta(days=keep_days)
        self._room = room
        self._waiting: deque[tuple[Any, ...]] = deque()
        self.dropped = 0

    def add(self, row: tuple[Any, ...]) -> None:
        if len(self._waiting) >= self._room:
            self.dropped += 1
        else:
            self._waiting.append(row)

    async def keep_writing(self) -> None:
        while True:
            await asyncio.sleep(_WRITE_EVERY_S)
            await self.write_waiting()

    async def write_waiting(self) -> None:
        """Write what waits. A database that is away keeps it waiting; the number that was lost meanwhile is logged."""
        while self._waiting:
            rows = [self._waiting.popleft() for _ in range(min(len(self._waiting), _ROWS_AT_ONCE))]
            try:
                await asyncio.to_thread(self._insert, rows)
            except psycopg2.DataError as error:
                self.dropped += len(rows)  # they would stand in the way of all that follow
                log.error("access_log_refused", error=str(error).split("\n")[0][:300])
            except (SQLAlchemyError, psycopg2.Error) as error:
                self._waiting.extendleft(reversed(rows))
                log.warning("access_log_waits", waiting=len(self._waiting), error=str(error).split("\n")[0][:300])
                return
        if self.dropped:
            log.warning("access_log_dropped", rows=self.dropped)
            self.dropped = 0

    async def keep_pruning(self) -> None:
        while True:
            try:
                await asyncio.to_thread(self._prune)
            except SQLAlchemyError as error:
                log.warning("access_log_not_pruned", error=str(error).split("\n")[0][:300])
            await asyncio.sleep(_PRUNE_EVERY_S)

    def _insert(self, rows: list[tuple[Any, ...]]) -> None:
        with self._database.transaction() as session:
            insert_access_rows(session, rows)

    def _prune(self) -> None:
        with self._database.transaction() as session:
            delete_access_rows(session, utc_now() - self._keep)
