"""Delivery of what waits: the oldest row of each (subscriber, subject), by as many relays as like to.

A refusal (4xx) parks its subject alone. Anything else is tried again with doubling back-off, for ever; a subscriber
that answers again is told at once of everything that it missed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid5

import httpx
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from django_app.outbox.documents import build_event
from django_app.outbox.models import Delivery, Subject
from django_app.outbox.recording import record_change
from microservices.kernel.errors import ServiceError
from microservices.kernel.logs import get_logger

SOURCE = "django"
_EVENT_IDS = UUID("8a9a7e0c-6a0f-4c6c-9a43-0f1de6f6a5d1")
_LONGEST_PAUSE_S = 30
_LONGEST_SILENCE_S = 5  # an attempt costs nobody anything then, and is made for one row only
_NO_ANSWER = "No answer: "
_NOT_A_REFUSAL = {401, 408, 429}
# The answer to an event that was dropped: the version that is known of its subject.
_KNOWN_VERSION = "X-Known-Version"
_KEEP_DELIVERED = timedelta(days=7)

log = get_logger(__name__)


class SubscriberUnreachableError(Exception):
    """No answer: the other rows need not be tried in this round."""


@dataclass(frozen=True)
class Answer:
    """`problem`: why it was not taken. `known_version`: it was dropped, as this one or a newer is known there."""

    problem: str = ""
    known_version: int | None = None


class Relay:
    """`subscribers`: name → base address; `get_token`: our service token."""

    def __init__(self, subscribers: Mapping[str, str], get_token: Callable[[], str]) -> None:
        self._subscribers = subscribers
        self._get_token = get_token
        self._http = httpx.Client(timeout=10, trust_env=False)

    def deliver_due(self) -> int:
        """Deliver everything that is due; the number of deliveries."""
        delivered = 0
        for subscriber in self._subscribers:
            try:
                while (outcome := self._deliver_one(subscriber)) is not None:
                    delivered += outcome
            except SubscriberUnreachableError as error:
                log.warning("subscriber_unreachable", subscriber=subscriber, error=str(error)[:300])
        return delivered

    def _deliver_one(self, subscriber: str) -> bool | None:
        """None when nothing is due. The row stays locked while it is delivered, so a relay that dies lets go of it."""
        unreachable = None
        with transaction.atomic():
            row = claim_delivery(subscriber)
            if row is None:
                return None
            # Read before the document, which is then never older than the version it is sent with.
            subject = Subject.objects.get(name=row.subject)
            try:
                answer = self._send(row, subject)
            except SubscriberUnreachableError as error:
                answer, unreachable = Answer(str(error)), error
            delivered = settle_delivery(row, subject.version, answer)
        if unreachable:
            raise unreachable
        return delivered

    def _send(self, row: Delivery, subject: Subject) -> Answer:
        """Marks the row as parked when the subscriber refuses it."""
        try:
            event = make_cloudevent(row, subject)
        except (ServiceError, ValueError) as error:  # its text may repeat values
            return Answer(f"Its document cannot be built: {type(error).__name__}")
        try:
            answer = self._http.post(
                f"{self._subscribers[row.subscriber]}/internal/events",
                json=event,
                headers={"Authorization": f"Bearer {self._get_token()}"},
            )
        except (httpx.HTTPError, ServiceError) as error:
            raise SubscriberUnreachableError(f"{_NO_ANSWER}{type(error).__name__}: {error}"[:500]) from error
        if answer.is_success:
            return Answer(known_version=read_known_version(answer))
        if 400 <= answer.status_code < 500 and answer.status_code not in _NOT_A_REFUSAL:
            row.parked_at = timezone.now()
            log.error("event_parked", subscriber=row.subscriber, subject=row.subject, status=answer.status_code)
        return Answer(f"{answer.status_code}: {answer.text[:400]}".replace("\x00", ""))

    def close(self) -> None:
        self._http.close()


def claim_delivery(subscriber: str) -> Delivery | None:
    """The next row that may be delivered: the oldest of its subject, and in nobody else's hands at the moment."""
    older = Delivery.objects.filter(
        subscriber=OuterRef("subscriber"), subject=OuterRef("subject"), delivered_at=None, id__lt=OuterRef("id")
    )
    due = Delivery.objects.filter(
        ~Exists(older),
        subscriber=subscriber,
        delivered_at=None,
        parked_at=None,
        next_attempt_at__lte=timezone.now(),
    )
    return due.select_for_update(skip_locked=True).order_by("next_attempt_at", "id").first()


def read_known_version(answer: httpx.Response) -> int | None:
    text = answer.headers.get(_KNOWN_VERSION, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def settle_delivery(row: Delivery, version: int, answer: Answer) -> bool:
    """Was it delivered? An event that was dropped is told again, beyond what is known: we are the subject's owner, and
    whoever knows more heard it before our database was restored from a backup."""
    if answer.problem:
        put_off_delivery(row, answer.problem)
    elif answer.known_version is not None:
        raised = record_change(row.subject, beyond=answer.known_version)
        log.warning("version_raised", subject=row.subject, subscriber=row.subscriber, sent=version, version=raised)
    else:
        complete_delivery(row, version)
        if row.error.startswith(_NO_ANSWER):
            hasten_missed(row.subscriber)
        return True
    return False


def complete_delivery(row: Delivery, version: int) -> None:
    """Done, together with every later row that this delivery covered."""
    covered = Delivery.objects.filter(
        subscriber=row.subscriber, subject=row.subject, delivered_at=None, version__lte=version
    )
    covered.update(delivered_at=timezone.now(), error="", parked_at=None)


def hasten_missed(subscriber: str) -> None:
    """The subscriber answers again: what it could not be told is due now."""
    now = timezone.now()
    missed = Delivery.objects.filter(
        subscriber=subscriber, delivered_at=None, parked_at=None, next_attempt_at__gt=now, error__startswith=_NO_ANSWER
    )
    mine = list(missed.select_for_update(skip_locked=True).values_list("pk", flat=True))
    Delivery.objects.filter(pk__in=mine).update(next_attempt_at=now)


def put_off_delivery(row: Delivery, problem: str) -> None:
    """Wait twice as long as before, unless a later change waits already: then its row takes over."""
    later = Delivery.objects.filter(subscriber=row.subscriber, subject=row.subject, delivered_at=None, id__gt=row.pk)
    if later.exists():
        row.delete()
        return
    longest = _LONGEST_SILENCE_S if problem.startswith(_NO_ANSWER) else _LONGEST_PAUSE_S
    pause = min(2 ** min(row.attempts, 16), longest)
    row.attempts += 1
    row.next_attempt_at = timezone.now() + timedelta(seconds=pause)
    row.error = problem
    row.save()


def make_cloudevent(row: Delivery, subject: Subject) -> dict[str, Any]:
    """The envelope. Its id follows from the subject's version and the time of its change: a state that was told before
    is known by it, and one that only has the same number (after a restored backup) is not."""
    type_, data = build_event(row.subject)
    return {
        "specversion": "1.0",
        "id": str(uuid5(_EVENT_IDS, f"{subject.name}@{subject.version}@{subject.changed_at.isoformat()}")),
        "source": SOURCE,
        "type": type_,
        "subject": row.subject,
        "time": row.occurred_at.isoformat().replace("+00:00", "Z"),
        "dataversion": subject.version,
        "data": data,
    }


def prune_delivered() -> int:
    """Delivered rows are kept for a week, for people to look at."""
    return Delivery.objects.filter(delivered_at__lt=timezone.now() - _KEEP_DELIVERED).delete()[0]
