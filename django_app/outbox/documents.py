"""Who can tell the newest state of a subject: one producer for each kind (`site/<uuid>` is of the kind `site`)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Producer:
    """`build`: the part of the subject's name after the slash → its document as JSON, None when it is gone.

    The document may hold secrets: it goes into the delivery and nowhere else.
    """

    changed: str
    deleted: str
    build: Callable[[str], dict[str, Any] | None]


_producers: dict[str, Producer] = {}


def register_producer(kind: str, producer: Producer) -> None:
    _producers[kind] = producer


def build_event(subject: str) -> tuple[str, dict[str, Any]]:
    """(event type, data) of the subject as it is now; a tombstone carries its id only."""
    kind, _, key = subject.partition("/")
    producer = _producers[kind]
    document = producer.build(key)
    return (producer.deleted, {"id": key}) if document is None else (producer.changed, document)
