"""`Idempotency-Key`: the same request again gives the first answer again, and changes nothing twice.

Scoped to caller and route, kept for 24 h. The answer is stored in the transaction that makes the change, so there is
no moment at which one exists without the other.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import Header
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Session

from microservices.kernel.auth import Principal
from microservices.kernel.db import Database, utc_now
from microservices.kernel.errors import ConflictError

_KEPT = timedelta(hours=24)
_IN_FLIGHT = timedelta(seconds=60)

IdempotencyKey = Annotated[str | None, Header(alias="Idempotency-Key", min_length=1, max_length=200)]

metadata = sa.MetaData()

idempotency_keys = sa.Table(
    "idempotency_keys",
    metadata,
    sa.Column("scope", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("fingerprint", sa.Text, nullable=False),
    sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("status", sa.Integer),
    sa.Column("body", JSONB),
)


def create_idempotency_table(op: Any) -> None:
    """The table, called by a service's first migration (`op`: Alembic's operations)."""
    op.create_table(idempotency_keys.name, *(column._copy() for column in idempotency_keys.columns))


@dataclass(frozen=True)
class OnceKey:
    """Which request this is: who calls which route with which key, and what the body was."""

    scope: str
    key: str
    fingerprint: str


def once_key(caller: Principal, route: str, key: str | None, body: BaseModel | str) -> OnceKey | None:
    """None without a key: such a request is simply carried out."""
    if key is None:
        return None
    text = body if isinstance(body, str) else json.dumps(body.model_dump(mode="json"), sort_keys=True)
    return OnceKey(f"{caller.subject} {route}", key, hashlib.sha256(text.encode()).hexdigest())


def run_once(
    database: Database, once: OnceKey | None, status: int, action: Callable[[Session], BaseModel]
) -> JSONResponse:
    """Carry out `action` in a transaction, or give the answer that the same request had before.

    Raises `ConflictError` (`idempotency_conflict`: another body; `request_in_progress`: the first is still at work).
    A refused action leaves no trace, so it may be tried again with the same key.
    """
    if once is None:
        with database.transaction() as session:
            return JSONResponse(action(session).model_dump(mode="json"), status_code=status)
    stored = begin_once(database, once)
    if stored is not None:
        return stored
    try:
        with database.transaction() as session:
            body = action(session).model_dump(mode="json")
            finish_once(session, once, status, body)
    except BaseException:
        abandon_once(database, once)
        raise
    return JSONResponse(body, status_code=status)


def _matches(once: OnceKey) -> tuple[sa.ColumnElement[bool], ...]:
    return idempotency_keys.c.scope == once.scope, idempotency_keys.c.key == once.key


def _is_open(once: OnceKey) -> tuple[sa.ColumnElement[bool], ...]:
    return *_matches(once), idempotency_keys.c.status.is_(None)


def finish_once(session: Session, once: OnceKey, status: int, body: Any) -> None:
    """Keep the answer, in the transaction that makes the change.

    Raises `ConflictError` where the request was begun again, as this took so long: only one makes the change.
    """
    keep = sa.update(idempotency_keys).where(*_is_open(once)).values(status=status, body=body)
    if session.execute(keep.returning(idempotency_keys.c.key)).first() is None:
        raise ConflictError("The same request was carried out meanwhile. Send it again.", code="request_in_progress")


def renew_once(database: Database, once: OnceKey) -> None:
    """Still at work: what takes longer than a minute calls this, or the request may be begun again."""
    with database.transaction() as session:
        session.execute(sa.update(idempotency_keys).where(*_is_open(once)).values(started_at=utc_now()))


def abandon_once(database: Database, once: OnceKey) -> None:
    """The action failed and left no trace: the key is free again."""
    with database.transaction() as session:
        session.execute(sa.delete(idempotency_keys).where(*_is_open(once)))


def begin_once(database: Database, once: OnceKey) -> JSONResponse | None:
    """The answer that the same request had before; None when it is for the caller to carry out (and then to
    `finish_once` or `abandon_once`)."""
    now = utc_now()
    with database.transaction() as session:
        session.execute(sa.delete(idempotency_keys).where(idempotency_keys.c.started_at < now - _KEPT))
        fresh = {"scope": once.scope, "key": once.key, "fingerprint": once.fingerprint, "started_at": now}
        statement = insert(idempotency_keys).values(**fresh).on_conflict_do_nothing()
        if session.execute(statement.returning(idempotency_keys.c.key)).first() is not None:
            return None
        row = session.execute(sa.select(idempotency_keys).where(*_matches(once)).with_for_update()).mappings().first()
        if row is None:
            raise ConflictError(
                "The first request with this key just failed. Send it again.", code="request_in_progress"
            )
        if row["fingerprint"] != once.fingerprint:
            raise ConflictError(
                "This Idempotency-Key was used for another request. Use a new one.", code="idempotency_conflict"
            )
        if row["status"] is not None:
            return JSONResponse(row["body"], status_code=row["status"])
        if row["started_at"] > now - _IN_FLIGHT:
            raise ConflictError("The same request is still at work. Try again shortly.", code="request_in_progress")
        session.execute(sa.update(idempotency_keys).where(*_matches(once)).values(started_at=now))
        return None
