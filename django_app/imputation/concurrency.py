"""Which state of a site or panel somebody has seen, and what others have done to it since.

A state is named by its newest records in the history; that of a site counts its panels' too. A push or a delivery
changes nothing that is curated, so it changes no state.
"""

from typing import Any
from uuid import UUID

from django.db.models import Max, QuerySet

from django_app.imputation.history import DELETED, describe_value, find_previous, list_changes
from django_app.imputation.models import ImputationService, ReferencePanel

Curated = ImputationService | ReferencePanel


def _list_records(model: type[Curated], id_: UUID) -> list[QuerySet[Any]]:
    panels = ReferencePanel.history.order_by()
    if model is ReferencePanel:
        return [panels.filter(id=id_)]
    return [ImputationService.history.order_by().filter(id=id_), panels.filter(service_id=id_)]


def tell_state(model: type[Curated], id_: UUID) -> str:
    """Ask before reading the row itself: then a change in between is noticed too often rather than never."""
    newest = [records.aggregate(newest=Max("history_id"))["newest"] or 0 for records in _list_records(model, id_)]
    return "-".join(map(str, newest))


def describe_news(model: type[Curated], id_: UUID, seen: str) -> str:
    """Who has done what since the state `seen`, in one line; what cannot be told is left out."""
    marks = [int(mark) for mark in seen.split("-") if mark.isascii() and mark.isdigit() and len(mark) < 10]
    found = [
        record
        for records, mark in zip(_list_records(model, id_), marks, strict=False)
        for record in records.filter(history_id__gt=mark).order_by("history_id")[:5]
    ]
    return "; ".join(map(_describe, found))


def _describe(record: Any) -> str:
    who = record.history_user_id or "the platform"
    when = describe_value(record.history_date)
    changes = ", ".join(change.field for change in list_changes(record, find_previous(record)))
    if record.history_type == DELETED or not changes:
        changes = str(record.get_history_type_display()).lower()
    return f"{who} at {when}: {record.name} ({changes})"
