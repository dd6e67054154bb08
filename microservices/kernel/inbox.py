"""What has been told to us: every event is applied once, and what is older than what we have is dropped.

Tombstones keep a subject's version for ever, so an old "changed" cannot bring a deleted subject back.
"""

from collections.abc import Callable, Mapping
from typing import Any

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Response
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from microservices.kernel.auth import services_with
from microservices.kernel.db import SessionDep
from microservices.kernel.errors import InvalidInputError
from microservices.kernel.events import KNOWN_VERSION, Event

EventHandler = Callable[[Session, Event], bool | None]
"""Applies an event; False: dropped, since what is known of its subject is newer."""

metadata = sa.MetaData()

inbox = sa.Table(
    "inbox",
    metadata,
    sa.Column("event_id", sa.Uuid, primary_key=True),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("received_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
)

inbox_versions = sa.Table(
    "inbox_versions",
    metadata,
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("subject", sa.Text, primary_key=True),
    sa.Column("version", sa.BigInteger, nullable=False),
)


def create_inbox_tables(op: Any) -> None:
    """The inbox's tables, called by a service's first migration (`op`: Alembic's operations)."""
    for table in (inbox, inbox_versions):
        op.create_table(table.name, *(column._copy() for column in table.columns))


def accept_event(session: Session, event: Event) -> bool:
    """Record the event in the running transaction; False when it was applied before."""
    statement = insert(inbox).values(event_id=event.id, source=event.source).on_conflict_do_nothing()
    return session.execute(statement.returning(inbox.c.event_id)).first() is not None


def advance_version(session: Session, event: Event) -> bool:
    """Note the subject's version; False when we already have this one or a newer (then the event is to be dropped)."""
    statement = insert(inbox_versions).values(source=event.source, subject=event.subject, version=event.dataversion)
    statement = statement.on_conflict_do_update(
        index_elements=["source", "subject"],
        set_={"version": statement.excluded.version},
        where=inbox_versions.c.version < statement.excluded.version,
    )
    return session.execute(statement.returning(inbox_versions.c.version)).first() is not None


def read_version(session: Session, source: str, subject: str) -> int:
    """The newest version that was told; 0: never heard of."""
    mine = (inbox_versions.c.source == source) & (inbox_versions.c.subject == subject)
    return session.scalar(sa.select(inbox_versions.c.version).where(mine)) or 0


def drop_event(session: Session, event: Event) -> Response:
    """Accepted and without effect. The producer is told what is known here: one whose database was restored from a
    backup counts from where we have been long ago, and has to count on from here. Told again, it is answered again.
    """
    session.execute(sa.delete(inbox).where(inbox.c.event_id == event.id))
    known = read_version(session, event.source, event.subject)
    return Response(status_code=204, headers={KNOWN_VERSION: str(known)})


def events_router(handlers: Mapping[str, EventHandler]) -> APIRouter:
    """`POST /internal/events`: each event is recorded and applied in one transaction, once.

    `handlers`: event type → what applies it. A type that nobody here handles is refused, so that the producer parks it
    and somebody sees the mistake.
    """
    router = APIRouter(tags=["internal"], dependencies=[Depends(services_with("events:write"))])

    @router.post("/internal/events", status_code=204)
    def receive_event(event: Event, session: SessionDep) -> Response:
        handler = handlers.get(event.type)
        if handler is None:
            raise InvalidInputError(f"Events of type '{event.type}' are not handled here.", code="unknown_event_type")
        if accept_event(session, event) and handler(session, event) is False:
            return drop_event(session, event)
        return Response(status_code=204)

    return router
