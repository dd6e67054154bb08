"""Who changed what, when, and by which way: one record for every save and deletion of a site or a panel.

A record is written in the transaction of its change. It holds the whole row except secrets, of which it tells only when
they were set.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import models
from simple_history.models import HistoricalRecords

from django_app.config.requests import request_id_var

CREATED, CHANGED, DELETED = "+", "~", "-"
NOTHING = "–"
_NOT_TOLD = {"id", "service", "created_at", "updated_at"}
_LONGEST_VALUE = 300
_LONGEST_REASON = 100


def tell_request_id() -> str:
    return request_id_var.get()


class ChangeRecord(models.Model):
    """What a record tells besides the row, its author and its time."""

    request_id = models.CharField(max_length=64, default=tell_request_id, help_text="Names the lines of the log.")

    class Meta:
        abstract = True


class ChangeHistory(HistoricalRecords):
    """The library's records, without its ways around them, and with authors who need no account in this database.

    `history_user` is an e-mail address or what else names a person, empty for the platform itself;
    `history_change_reason` the way that a change took, which `_change_reason` of the changed thing may tell.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(
            bases=(ChangeRecord,),
            history_user_id_field=models.CharField(max_length=320, default="", verbose_name="who"),
            history_user_getter=lambda record: record.history_user_id,
            history_user_setter=lambda record, name: setattr(record, "history_user_id", name),
            **options,
        )

    def add_extra_methods(self, cls: type[models.Model]) -> None:
        """No `save_without_historical_record`."""

    def post_save(self, instance: Any, created: bool, using: str | None = None, **_sent: Any) -> None:
        self.create_historical_record(instance, CREATED if created else CHANGED, using=using)

    def post_delete(self, instance: Any, using: str | None = None, **_sent: Any) -> None:
        self.create_historical_record(instance, DELETED, using=using)

    def get_history_user(self, _instance: Any) -> str:
        """Staff and callers of the API alike tell their name by `get_username`."""
        user = getattr(getattr(self.context, "request", None), "user", None)
        return str(user.get_username())[:320] if user is not None and user.is_authenticated else ""

    def get_change_reason_for_object(self, instance: Any, _history_type: str, _using: str | None) -> str:
        path = getattr(getattr(self.context, "request", None), "path", "")
        usual = "admin" if path.startswith("/admin/") else "API" if path else "command"
        return str(getattr(instance, "_change_reason", usual))[:_LONGEST_REASON]

    def get_meta_options(self, model: type[models.Model]) -> dict[str, Any]:
        """Records are read only: nobody can be given the right to add, change or delete one."""
        return {**super().get_meta_options(model), "default_permissions": ("view",)}


@dataclass(frozen=True)
class FieldChange:
    """`old` and `new` in words; what is empty is a dash."""

    field: str
    old: str
    new: str


def find_previous(record: Any) -> Any:
    """The record of the same thing before this one; None for the first."""
    earlier = type(record).objects.filter(id=record.id, history_id__lt=record.history_id)
    return earlier.order_by("-history_id").first()


def list_changes(record: Any, previous: Any) -> list[FieldChange]:
    """What a save changed; of a new thing what it was made with, of a deleted one nothing."""
    if record.history_type == DELETED:
        return []
    changes = [
        change
        for field in record.tracked_fields
        if field.name not in _NOT_TOLD
        for change in _compare(
            str(field.verbose_name), getattr(previous, field.name, None), getattr(record, field.name)
        )
    ]
    return [change for change in changes if change.old != NOTHING or change.new != NOTHING]


def _compare(label: str, old: Any, new: Any) -> Iterator[FieldChange]:
    """Settings in JSON one by one."""
    if isinstance(old or new, dict):
        old, new = old or {}, new or {}
        for key in sorted({*old, *new}):
            yield from _compare(f"{label}: {key}", old.get(key), new.get(key))
    elif old != new:
        yield FieldChange(label, describe_value(old), describe_value(new))


def describe_value(value: Any) -> str:
    if value is None or value in ("", [], {}):
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S} UTC"
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        value = ", ".join(value)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}…"
