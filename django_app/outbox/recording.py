"""Noting that a subject has changed, in the transaction that changes it."""

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from kombu.exceptions import OperationalError

from django_app.config.celery import app
from django_app.outbox.models import Delivery, Subject
from microservices.kernel.logs import get_logger

DELIVER_OUTBOX = "outbox.deliver"

# A connection that the broker has closed since is renewed; a broker that is down keeps nobody waiting.
_ONCE_MORE = {"max_retries": 1, "interval_start": 0, "interval_step": 0}

log = get_logger(__name__)


def lock_subjects(*names: str) -> list[Subject]:
    """Take the subjects' row locks until the transaction ends; a subject that is not known yet is made.

    Locks are taken in the order of names, and before the rows of the thing itself: so two changes of one subject wait
    for each other and never deadlock. Raises `TransactionManagementError` outside of a transaction.
    """
    wanted = sorted(set(names))
    Subject.objects.bulk_create([Subject(name=name) for name in wanted], ignore_conflicts=True)
    return list(Subject.objects.select_for_update().filter(name__in=wanted).order_by("name"))


def record_change(name: str, *, beyond: int = 0) -> int:
    """The subject's version goes up and every subscriber is due to be told; the new version.

    A delivery that waits already covers this change too, unless a relay holds it at this moment: what is on the wire
    may be the state before, so another row follows it. `beyond`: a version that a subscriber has, and that the new one
    has to exceed.
    """
    [subject] = lock_subjects(name)
    subject.version = max(subject.version, beyond) + 1
    subject.changed_at = timezone.now()
    subject.save()
    for subscriber in settings.OUTBOX_SUBSCRIBERS:
        _make_due(subscriber, subject)
    transaction.on_commit(kick_relay, robust=True)
    return subject.version


def _make_due(subscriber: str, subject: Subject) -> None:
    waiting = (
        Delivery.objects.select_for_update(skip_locked=True)
        .filter(subscriber=subscriber, subject=subject.name, delivered_at=None)
        .order_by("-id")
        .first()
    )
    row = waiting or Delivery(subscriber=subscriber, subject=subject.name, occurred_at=subject.changed_at)
    row.version = subject.version
    row.next_attempt_at = subject.changed_at
    row.parked_at = None
    row.save()


def retry_delivery(ids: list[int]) -> int:
    """Make undelivered rows due now, parked ones too; how many."""
    with transaction.atomic():
        changed = Delivery.objects.filter(pk__in=ids, delivered_at=None).update(
            next_attempt_at=timezone.now(), parked_at=None
        )
        transaction.on_commit(kick_relay, robust=True)
    return changed


def kick_relay() -> None:
    """Ask the worker to deliver at once. Without the broker its beat does so a few seconds later."""
    try:
        app.send_task(DELIVER_OUTBOX, retry_policy=_ONCE_MORE, expires=60)
    except OperationalError as error:
        log.warning("relay_not_kicked", error=str(error)[:200])
