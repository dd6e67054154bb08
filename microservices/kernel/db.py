"""A service's own PostgreSQL database: engine, sessions, naming of constraints.

One transaction per request or task: `Database.transaction()` commits at its end, or rolls back.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

import anyio
from fastapi import Depends, Request
from fastapi.concurrency import contextmanager_in_threadpool
from sqlalchemy import Connection, DateTime, Engine, MetaData, Text, Uuid, create_engine, event, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.orm import Session, sessionmaker

from microservices.kernel.connections import has_ended

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}


# How Python types are stored, for the declarative base of every service: `type_annotation_map = COLUMN_TYPES`.
COLUMN_TYPES: dict[Any, Any] = {datetime: DateTime(timezone=True), str: Text, dict[str, Any]: JSONB, UUID: Uuid}


def new_metadata() -> MetaData:
    return MetaData(naming_convention=NAMING)


def utc_now() -> datetime:
    return datetime.now(UTC)


class Database:
    """One service's database; `pool_size` is also the number of threads that may use it at once."""

    def __init__(self, url: str, *, pool_size: int = 10, application_name: str = "imputehub") -> None:
        self.pool_size = pool_size
        self.engine: Engine = create_engine(
            url,
            pool_size=pool_size,
            max_overflow=5,
            pool_timeout=10,
            connect_args={"connect_timeout": 5, "application_name": application_name},
        )
        event.listen(self.engine, "checkout", _refuse_ended)
        self.requests = anyio.CapacityLimiter(pool_size)
        self._readers = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        self._sessions = sessionmaker(self.engine, expire_on_commit=False)

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        with self._sessions.begin() as session:
            yield session

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """For statements that read, each by itself: without a transaction, whose two round trips cost as much."""
        with self._readers.connect() as connection:
            yield connection

    def ping(self) -> None:
        with self.engine.connect() as connection:
            connection.execute(text("SELECT 1"))

    def dispose(self) -> None:
        self.engine.dispose()


def _refuse_ended(connection: Any, _record: Any, _proxy: Any) -> None:
    """One that PostgreSQL has ended is replaced before it is used: asking it (a ping) would cost a round trip each."""
    if connection.closed or has_ended(connection.fileno()):
        raise InvalidatePoolError("PostgreSQL has ended the connection.")


def get_database(request: Request) -> Database:
    database: Database = request.app.state.database
    return database


async def open_session(request: Request) -> AsyncIterator[Session]:
    """No more requests at once than there are connections: one that has its connection waits for a thread (its answer
    is made in one), and all threads might wait for a connection.
    """
    database = get_database(request)
    async with database.requests, contextmanager_in_threadpool(database.transaction()) as session:
        yield session


# `function`: the commit happens before the answer is sent, so nobody is told of a change that then fails.
SessionDep = Annotated[Session, Depends(open_session, scope="function")]
