"""Delivery of what waits: the oldest row of each (subscriber, subject), by as many relays as like to.

A refusal (4xx) parks its subject alone. Anything else is tried again with doubling back-off, for ever.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid5

import httpx
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from django_app.outbox.documents import build_event
from django_app.outbox.models import Delivery, Subject
from microservices.kernel.errors import ServiceError
from microservices.kernel.logs import get_logger

SOURCE = "django"
_EVENT_IDS = UUID("8a9a7e0c-6a0f-4c6c-9a43-0f1de6f6a5d1")
_LONGEST_PAUSE_S = 30
_NOT_A_REFUSAL = {401, 408, 429}
_KEEP_DELIVERED = timedelta(days=7)

log = get_logger(__name__)


class SubscriberUnreachableError(Exception):
    """No answer: the other rows need not be tried in this round."""


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
            version = Subject.objects.values_list("version", flat=True).get(name=row.subject)
            try:
                problem = self._send(row, version)
            except SubscriberUnreachableError as error:
                problem, unreachable = str(error), error
            if problem:
                put_off_delivery(row, problem)
            else:
                complete_delivery(row, version)
        if unreachable:
            raise unreachable
        return not problem

    def _send(self, row: Delivery, version: int) -> str:
        """What went wrong; empty when delivered. Marks the row as parked when the subscriber refuses it."""
        try:
            event = make_cloudevent(row, version)
        except (ServiceError, ValueError) as error:  # its text may repeat values
            return f"Its document cannot be built: {type(error).__name__}"
        try:
            answer = self._http.post(
                f"{self._subscribers[row.subscriber]}/internal/events",
                json=event,
                headers={"Authorization": f"Bearer {self._get_token()}"},
            )
        except (httpx.HTTPError, ServiceError) as error:
            raise SubscriberUnreachableError(f"{type(error).__name__}: {error}"[:500]) from error
        if answer.is_success:
            return ""
        if 400 <= answer.status_code < 500 and answer.status_code not in _NOT_A_REFUSAL:
            row.parked_at = timezone.now()
            log.error("event_parked", subscriber=row.subscriber, subject=row.subject, status=answer.status_code)
        return f"{answer.status_code}: {answer.text[:400]}".replace("\x00", "")

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


def complete_delivery(row: Delivery, version: int) -> None:
    """Done, together with every later row that this delivery covered."""
    covered = Delivery.objects.filter(
        subscriber=row.subscriber, subject=row.subject, delivered_at=None, version__lte=version
    )
    covered.update(delivered_at=timezone.now(), error="", parked_at=None)


def put_off_delivery(row: Delivery, problem: str) -> None:
    """Wait twice as long as before, unless a later change waits already: then its row takes over."""
    later = Delivery.objects.filter(subscriber=row.subscriber, subject=row.subject, delivered_at=None, id__gt=row.pk)
    if later.exists():
        row.delete()
        return
    pause = min(2 ** min(row.attempts, 16), _LONGEST_PAUSE_S)
    row.attempts += 1
    row.next_attempt_at = timezone.now() + timedelta(seconds=pause)
    row.error = problem
    row.save()


def make_cloudevent(row: Delivery, version: int) -> dict[str, Any]:
    """The envelope. Its id follows from subject and version: a state that was told before is known by it."""
    type_, data = build_event(row.subject)
    return {
        "specversion": "1.0",
        "id": str(uuid5(_EVENT_IDS, f"{row.subject}@{version}")),
        "source": SOURCE,
        "type": type_,
        "subject": row.subject,
        "time": row.occurred_at.isoformat().replace("+00:00", "Z"),
        "dataversion": version,
        "data": data,
    }


def prune_delivered() -> int:
    """Delivered rows are kept for a week, for people to look at."""
    return Delivery.objects.filter(delivered_at__lt=timezone.now() - _KEEP_DELIVERED).delete()[0]
