"""All that the gateway asks of its database."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from microservices.api_gateway.models import AccessLogEntry, RateLimitTier

ACCESS_COLUMNS = (
    "at, request_id, method, path, upstream, status, outcome, duration_ms, bytes_in, bytes_out, subject, "
    "organization_id, address"
)


def list_tiers(session: Session) -> Sequence[RateLimitTier]:
    return session.scalars(select(RateLimitTier)).all()


def insert_access_rows(session: Session, rows: Iterable[Sequence[Any]]) -> None:
    """`rows` in the order of `ACCESS_COLUMNS`. COPY, since it takes a tenth of the time that inserts take."""
    lines = io.StringIO()
    csv.writer(lines).writerows(rows)
    lines.seek(0)
    connection: Any = session.connection().connection  # psycopg2's own
    with connection.cursor() as cursor:
        cursor.copy_expert(f"COPY access_log ({ACCESS_COLUMNS}) FROM STDIN WITH (FORMAT csv)", lines)


def delete_access_rows(session: Session, before: datetime) -> None:
    session.execute(delete(AccessLogEntry).where(AccessLogEntry.at < before))
