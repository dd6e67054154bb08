"""How far the subscribers are: for the admin, the API and the metrics."""

from typing import Any, TypeVar

from django.conf import settings
from django.db.models import Case, CharField, Count, F, Min, Model, OuterRef, QuerySet, Subquery, Value, When
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from prometheus_client import Gauge

from django_app.outbox.models import Delivery
from microservices.kernel.metrics import OUTBOX_DEPTH, OUTBOX_OLDEST_SECONDS

IN_SYNC, PENDING, FAILED = "in_sync", "pending", "failed"
STATES = {IN_SYNC: "in sync", PENDING: "pending", FAILED: "failed"}

OUTBOX_PARKED = Gauge("outbox_parked", "Events that were refused and wait for a person", ["subscriber"])

M = TypeVar("M", bound=Model)


def annotate_state(queryset: QuerySet[M], subject: Any) -> QuerySet[M]:
    """Adds `sync_state`, `sync_error`, `sync_attempts`, `sync_parked_at`, `sync_next_attempt_at`, `sync_delivered_at`.

    `subject`: the expression of the row's subject name. A delivery that has failed weighs more than one that waits.
    """
    mine = Delivery.objects.filter(subject=OuterRef("sync_subject"))
    open_ = mine.filter(delivered_at=None).order_by("-attempts", "-id")
    closed = mine.exclude(delivered_at=None).order_by("-delivered_at")
    named: Any = queryset.annotate(sync_subject=subject)
    annotated: QuerySet[M] = named.annotate(
        sync_error=Subquery(open_.values("error")[:1]),
        sync_attempts=Subquery(open_.values("attempts")[:1]),
        sync_parked_at=Subquery(open_.values("parked_at")[:1]),
        sync_next_attempt_at=Subquery(open_.values("next_attempt_at")[:1]),
        sync_delivered_at=Subquery(closed.values("delivered_at")[:1]),
        sync_state=Case(
            When(sync_error__isnull=True, then=Value(IN_SYNC)),
            When(sync_error="", then=Value(PENDING)),
            default=Value(FAILED),
            output_field=CharField(),
        ),
    )
    return annotated


def explain_state(row: Any) -> str:
    """The state of an annotated row in words, with the reason and what comes next."""
    words = STATES[row.sync_state]
    if row.sync_state != FAILED:
        return words
    then = "waits for a change or a retry" if row.sync_parked_at else "is tried again"
    return f"{words}, {then}: {row.sync_error}"


def show_state(row: Any) -> SafeString:
    """The same for a page, where `live_states.js` keeps it as it is."""
    return format_html('<span data-sync-subject="{}">{}</span>', row.sync_subject, explain_state(row))


def measure_outbox() -> None:
    """Set the gauges of depth, of what was refused, and of oldest age."""
    waiting = (
        Delivery.objects.filter(delivered_at=None)
        .values("subscriber")
        .annotate(depth=Count("id"), parked=Count("parked_at"), oldest=Min("occurred_at"))
    )
    found = {row["subscriber"]: row for row in waiting.order_by(F("subscriber"))}
    for subscriber in settings.OUTBOX_SUBSCRIBERS:
        row = found.get(subscriber)
        OUTBOX_DEPTH.labels(subscriber).set(row["depth"] if row else 0)
        OUTBOX_PARKED.labels(subscriber).set(row["parked"] if row else 0)
        age = (timezone.now() - row["oldest"]).total_seconds() if row else 0
        OUTBOX_OLDEST_SECONDS.labels(subscriber).set(age)
