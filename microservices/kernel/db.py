"""A service's own PostgreSQL database: engine, sessions, naming of constraints.

One transaction per request or task: `Database.transaction()` commits at its end, or rolls back.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated, Any, cast
from uuid import UUID

import anyio
import psycopg2
import psycopg2.extensions
from fastapi import Depends, Request
from fastapi.concurrency import contextmanager_in_threadpool
from sqlalchemy import DateTime, Engine, MetaData, Text, Uuid, create_engine, event, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import InvalidatePoolError, OperationalError
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


Cursor = psycopg2.extensions.cursor


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
        self._sessions = sessionmaker(self.engine, expire_on_commit=False)

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        with self._sessions.begin() as session:
            yield session

    @contextmanager
    def reading(self) -> Iterator[Cursor]:
        """For reads that are written by hand, as they are asked for all the time: each is a statement by itself, which
        spares the round trips of a transaction, and SQLAlchemy's keeping of books.
        """
        with self._taking() as connection:
            connection.autocommit = True
            try:
                with connection.cursor() as cursor:
                    yield cursor
            finally:
                if not connection.closed:
                    connection.autocommit = False

    @contextmanager
    def writing(self) -> Iterator[Cursor]:
        """A transaction that is written by hand."""
        with self._taking() as connection, connection.cursor() as cursor:
            yield cursor
            connection.commit()

    @contextmanager
    def _taking(self) -> Iterator[psycopg2.extensions.connection]:
        """What was begun on it and not committed is rolled back."""
        pooled = self.engine.raw_connection()
        try:
            with _translating():
                yield cast(psycopg2.extensions.connection, pooled.driver_connection)
        finally:
            pooled.close()

    def ping(self) -> None:
        with self.engine.connect() as connection:
            connection.execute(text("SELECT 1"))

    def dispose(self) -> None:
        self.engine.dispose()


@contextmanager
def open_cursor(session: Session) -> Iterator[Cursor]:
    """For statements by hand in the session's transaction, after what it has changed."""
    session.flush()
    connection: Any = session.connection().connection.driver_connection
    with _translating(), connection.cursor() as cursor:
        yield cursor


@contextmanager
def _translating() -> Iterator[None]:
    try:
        yield
    except (psycopg2.OperationalError, psycopg2.InterfaceError) as error:
        raise OperationalError(None, None, error) from error


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
