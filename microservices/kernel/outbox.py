"""What has happened here and must reach others: written with the change, delivered after it, for ever.

One row per event and subscriber, in the transaction that changes the fact. A relay claims only the oldest undelivered
row of a (subscriber, subject), so order per subject holds with many relays; a refusal (4xx) parks that subject alone.
"""

import json
import os
import select
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import psycopg2
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from microservices.kernel.connections import Connections
from microservices.kernel.db import Database, utc_now
from microservices.kernel.logs import get_logger
from microservices.kernel.metrics import OUTBOX_DEPTH, OUTBOX_OLDEST_SECONDS

_CHANNEL = "outbox"
_IDLE_S = 2
_KEEP_DELIVERED = timedelta(days=7)
_PRUNE_EVERY_S = 3600

log = get_logger(__name__)

metadata = sa.MetaData()

outbox = sa.Table(
    "outbox",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True),
    sa.Column("event_id", sa.Uuid, nullable=False),
    sa.Column("subscriber", sa.Text, nullable=False),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("dataversion", sa.BigInteger, nullable=False),
    sa.Column("data", JSONB, nullable=False),
    sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Column("delivered_at", sa.DateTime(timezone=True)),
    sa.Column("parked_at", sa.DateTime(timezone=True)),
    sa.Column("error", sa.Text),
)

outbox_versions = sa.Table(
    "outbox_versions",
    metadata,
    sa.Column("subject", sa.Text, primary_key=True),
    sa.Column("version", sa.BigInteger, nullable=False),
)


def create_outbox_tables(op: Any) -> None:
    """The outbox's tables, called by a service's first migration (`op`: Alembic's operations)."""
    for table in (outbox, outbox_versions):
        op.create_table(table.name, *(column._copy() for column in table.columns))
    waiting = sa.text("delivered_at IS NULL")
    op.create_index("ix_outbox_waiting", "outbox", ["subscriber", "subject", "id"], postgresql_where=waiting)


@dataclass(frozen=True)
class NewEvent:
    """What has happened to `subject`; `data` may hold times and UUIDs."""

    type: str
    subject: str
    data: Mapping[str, Any]


def record_event(
    session: Session, *, type: str, subject: str, data: Mapping[str, Any], subscribers: Sequence[str]
) -> None:
    """Write an event about `subject` in the running transaction; its version goes up under the subject's row lock."""
    record_events(session, [NewEvent(type, subject, data)], subscribers=subscribers)


_RECORD = sa.text(
    """
    WITH event AS (
        SELECT * FROM unnest(
            CAST(:ids AS uuid[]), CAST(:types AS text[]), CAST(:subjects AS text[]), CAST(:data AS jsonb[])
        ) AS event (id, type, subject, data)
    ), counted AS (
        INSERT INTO outbox_versions (subject, version) SELECT subject, 1 FROM event ORDER BY subject
        ON CONFLICT (subject) DO UPDATE SET version = outbox_versions.version + 1 RETURNING subject, version
    ), written AS (
        INSERT INTO outbox (event_id, subscriber, type, subject, dataversion, data, occurred_at)
        SELECT event.id, subscriber, type, subject, version, data, :now
        FROM event JOIN counted USING (subject) CROSS JOIN unnest(CAST(:subscribers AS text[])) AS subscriber
    )
    SELECT pg_notify(:channel, '')
    """
)


def record_events(session: Session, events: Sequence[NewEvent], *, subscribers: Sequence[str]) -> None:
    """Write many in one statement. No subject may be among them twice.

    Subjects are counted in their order, so that two writers never wait crosswise.
    """
    if not events:
        return
    given = {
        "ids": [str(uuid4()) for _ in events],
        "types": [event.type for event in events],
        "subjects": [event.subject for event in events],
        "data": [json.dumps(event.data, default=_to_json) for event in events],
    }
    session.execute(_RECORD, {**given, "now": utc_now(), "subscribers": list(subscribers), "channel": _CHANNEL})


def _to_json(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"{type(value).__name__} cannot be put into an event")


# The next row that may be delivered: the oldest of its (subscriber, subject), and nobody else's at the moment.
_NEXT = """
    SELECT id, event_id, subscriber, type, subject, dataversion, data, occurred_at, attempts FROM outbox
    WHERE delivered_at IS NULL AND parked_at IS NULL AND next_attempt_at <= %s AND NOT EXISTS (
        SELECT FROM outbox AS older
        WHERE older.subscriber = outbox.subscriber AND older.subject = outbox.subject
            AND older.delivered_at IS NULL AND older.id < outbox.id
    )
    ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED
"""
_CHANGE = """
    UPDATE outbox SET delivered_at = %(delivered_at)s, parked_at = %(parked_at)s, error = %(error)s,
        attempts = attempts + 1, next_attempt_at = coalesce(%(next_attempt_at)s, next_attempt_at)
    WHERE id = %(id)s
"""


class Row(NamedTuple):
    """An event for one subscriber."""

    id: int
    event_id: UUID
    subscriber: str
    type: str
    subject: str
    dataversion: int
    data: dict[str, Any]
    occurred_at: datetime
    attempts: int


class Outcome(NamedTuple):
    """What becomes of a row: delivered, put off until `next_attempt_at`, or parked."""

    delivered_at: datetime | None = None
    parked_at: datetime | None = None
    error: str | None = None
    next_attempt_at: datetime | None = None


class Relay:
    """Delivers a service's outbox. `subscribers`: name → base address; `get_token`: our service token."""

    def __init__(
        self, source: str, database: Database, subscribers: Mapping[str, str], get_token: Callable[[], str]
    ) -> None:
        self._source = source
        self._database = database
        self._subscribers = {name: Connections(url) for name, url in subscribers.items()}
        self._get_token = get_token

    def deliver_due(self) -> int:
        """Deliver everything that is due; the number of rows that were delivered."""
        delivered = 0
        while (outcome := self._deliver_one()) is not None:
            delivered += outcome
        self._measure()
        return delivered

    def _deliver_one(self) -> bool | None:
        with self._database.writing() as cursor:
            cursor.execute(_NEXT, (utc_now(),))
            found = cursor.fetchone()
            if found is None:
                return None
            row = Row._make(found)
            outcome = self._post(row)
            cursor.execute(_CHANGE, {**outcome._asdict(), "id": row.id})
            return outcome.delivered_at is not None

    def _post(self, row: Row) -> Outcome:
        """A pause doubles with each that was in vain, up to 1 h."""
        now = utc_now()
        next_attempt_at = now + timedelta(seconds=min(2 ** min(row.attempts, 12), 3600))
        try:
            headers, event = {"Authorization": f"Bearer {self._get_token()}"}, to_cloudevent(self._source, row)
            answer = self._subscribers[row.subscriber].ask("POST", "/internal/events", headers, json_body=event)
        except Exception as error:  # whatever it is: this event is kept for later, and the others go on
            log.warning("event_put_off", subscriber=row.subscriber, subject=row.subject, error=repr(error)[:500])
            return Outcome(error=repr(error)[:500], next_attempt_at=next_attempt_at)
        if answer.is_success:
            return Outcome(delivered_at=now)
        refusal = f"{answer.status}: {answer.body[:400].decode(errors='replace')}"
        if 400 <= answer.status < 500 and answer.status not in (401, 408, 429):
            log.error("event_parked", subscriber=row.subscriber, subject=row.subject, error=refusal)
            return Outcome(parked_at=now, error=refusal, next_attempt_at=next_attempt_at)
        return Outcome(error=refusal, next_attempt_at=next_attempt_at)

    def _measure(self) -> None:
        statement = (
            sa.select(outbox.c.subscriber, sa.func.count(), sa.func.min(outbox.c.occurred_at))
            .where(outbox.c.delivered_at.is_(None))
            .group_by(outbox.c.subscriber)
        )
        with self._database.transaction() as session:
            waiting = {name: (depth, oldest) for name, depth, oldest in session.execute(statement)}
        for name in self._subscribers:
            depth, oldest = waiting.get(name, (0, None))
            OUTBOX_DEPTH.labels(name).set(depth)
            OUTBOX_OLDEST_SECONDS.labels(name).set((utc_now() - oldest).total_seconds() if oldest else 0)

    def prune_delivered(self) -> None:
        with self._database.transaction() as session:
            session.execute(sa.delete(outbox).where(outbox.c.delivered_at < utc_now() - _KEEP_DELIVERED))

    def close(self) -> None:
        for connections in self._subscribers.values():
            connections.close()


def to_cloudevent(source: str, row: Row) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": str(row.event_id),
        "source": source,
        "type": row.type,
        "subject": row.subject,
        "time": _to_json(row.occurred_at),
        "dataversion": row.dataversion,
        "data": row.data,
    }


@contextmanager
def relaying(database: Database, relay: Relay) -> Iterator[None]:
    """Run `relay` in a thread: woken by PostgreSQL when any process commits an event, and every 2 s."""
    stop_reader, stop_writer = os.pipe()
    thread = threading.Thread(target=_relay_until_stopped, args=(database, relay, stop_reader), name="outbox-relay")
    thread.start()
    try:
        yield
    finally:
        os.write(stop_writer, b"x")
        thread.join(timeout=15)
        os.close(stop_writer)
        os.close(stop_reader)
        relay.close()


def _relay_until_stopped(database: Database, relay: Relay, stop: int) -> None:
    """A database that is away costs a pause, never the relay."""
    url = database.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    while True:
        try:
            with closing(psycopg2.connect(url, connect_timeout=5)) as connection:
                connection.autocommit = True
                connection.cursor().execute(f"LISTEN {_CHANNEL}")
                if _relay_while_connected(connection, relay, stop):
                    return
        except (psycopg2.Error, sa.exc.SQLAlchemyError) as error:
            log.warning("relay_waits_for_database", error=str(error).strip()[:300])
        if select.select([stop], [], [], _IDLE_S)[0]:
            return


def _relay_while_connected(connection: Any, relay: Relay, stop: int) -> bool:
    """Deliver at each notification; True when told to stop. What was delivered long ago is forgotten every hour."""
    prune_at = time.monotonic()
    while True:
        relay.deliver_due()
        if time.monotonic() >= prune_at:
            relay.prune_delivered()
            prune_at = time.monotonic() + _PRUNE_EVERY_S
        ready, _, _ = select.select([connection, stop], [], [], _IDLE_S)
        if stop in ready:
            return True
        connection.poll()
        connection.notifies.clear()
