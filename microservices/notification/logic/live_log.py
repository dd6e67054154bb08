"""Live events on their way into the log, and as clients read them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from microservices.notification.models import LiveEvent, LiveFigures

_ID_DIGITS = 15
Person = tuple[UUID, UUID]
"""(user, organisation)"""


@dataclass(frozen=True)
class LiveMessage:
    """One event, written once for all who get it. `person`: None for everybody, or for all of `audience` (a role)."""

    number: int
    person: Person | None
    audience: str | None
    text: str


@dataclass(frozen=True)
class FiguresMessage:
    """What is true now: it has no number, since nobody who comes back needs the past of it."""

    type: str
    audience: str
    measured_at: datetime
    text: str


def write_id(log_name: str, number: int) -> str:
    """The public id: opaque, and as text in the order of the numbers."""
    return f"{log_name}-{number:0{_ID_DIGITS}d}"


def read_id(log_name: str, text: str) -> int | None:
    """The number behind an id; None when it is not of this log."""
    name, _, digits = text.partition("-")
    if name != log_name or len(digits) != _ID_DIGITS or not (digits.isascii() and digits.isdigit()):
        return None
    return int(digits)


def write_messages(log_name: str, events: Sequence[LiveEvent]) -> list[LiveMessage]:
    return [_write_message(log_name, event) for event in events]


def _write_message(log_name: str, event: LiveEvent) -> LiveMessage:
    body: dict[str, Any] = {
        "id": write_id(log_name, event.id),
        "type": event.type,
        "subject": event.subject,
        "time": _write_time(event.occurred_at),
        "data": event.data,
    }
    text = _write(body)
    if event.owner_id is None or event.organization_id is None:
        return LiveMessage(event.id, None, event.audience, text)
    return LiveMessage(event.id, (event.owner_id, event.organization_id), None, text)


def write_figures(figures: LiveFigures) -> FiguresMessage:
    body = {"type": figures.type, "time": _write_time(figures.measured_at), "data": figures.data}
    return FiguresMessage(figures.type, figures.audience, figures.measured_at, _write(body))


def _write(body: dict[str, Any]) -> str:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def _write_time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
