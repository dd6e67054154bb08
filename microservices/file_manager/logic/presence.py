"""Which processes of this service are alive, so that what a dead one was doing is taken up at once.

Each holds an advisory lock of PostgreSQL, which is freed the moment the process or its connection is gone: no
timeouts to guess, no clocks to compare.
"""

import secrets

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection, text
from sqlalchemy.orm import InstrumentedAttribute

from microservices.kernel.db import Database

_LOCK_CLASS = 0x46494C45  # first key of our locks; the second is the process's number

_locks = sa.table(
    "pg_locks", *(sa.column(name) for name in ("locktype", "granted", "classid", "objid", "objsubid", "database"))
)
_databases = sa.table("pg_database", sa.column("oid"), sa.column("datname"))


class Presence:
    """This process's `number`, and the lock that says it is alive."""

    def __init__(self, database: Database) -> None:
        self.number = secrets.randbelow(2**31)
        self._database = database
        self._connection: Connection | None = None

    def uphold(self) -> None:
        """Take the lock, or take it again after the connection was lost. Raises when the database is away."""
        if self._connection is not None:
            try:
                self._connection.execute(text("SELECT 1"))
                return
            except sa.exc.SQLAlchemyError:
                self.give_up()
        connection = self._database.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        connection.detach()
        # Not obtained: the server has not yet noticed the end of our last connection, which still speaks for us.
        if connection.scalar(text("SELECT pg_try_advisory_lock(:class, :number)"), self._keys()):
            self._connection = connection
        else:
            connection.close()

    def give_up(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _keys(self) -> dict[str, int]:
        return {"class": _LOCK_CLASS, "number": self.number}


def is_gone(number: InstrumentedAttribute[int | None]) -> ColumnElement[bool]:
    """The process with this number is not there (any more); true for NULL."""
    here = sa.select(_databases.c.oid).where(_databases.c.datname == sa.func.current_database()).scalar_subquery()
    living = sa.select(sa.cast(_locks.c.objid, sa.BigInteger)).where(
        _locks.c.locktype == "advisory",
        _locks.c.granted,
        _locks.c.objsubid == 2,  # a lock of two keys
        sa.cast(_locks.c.classid, sa.BigInteger) == _LOCK_CLASS,
        _locks.c.database == here,
    )
    return sa.or_(number.is_(None), number.not_in(living))
