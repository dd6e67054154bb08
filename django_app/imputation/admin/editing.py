"""Forms that notice when somebody else was faster, and deletions that never wait for each other in a circle."""

import json
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.contrib.postgres.fields import ArrayField
from django.db import models, transaction
from django.db.models import QuerySet
from django.forms.fields import InvalidJSONInput
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from django_app.imputation.concurrency import Curated, describe_news, tell_state
from django_app.imputation.job_desk import JobDeskError, get_job_desk
from django_app.imputation.models import ImputationService
from django_app.outbox.recording import lock_subjects

if TYPE_CHECKING:
    CuratedForm = forms.ModelForm[Any]
else:
    CuratedForm = forms.ModelForm

_UNFINISHED = ("queued", "running")


class ReadableJSONField(forms.JSONField):
    """Indented; empty instead of null."""

    def prepare_value(self, value: Any) -> Any:
        if value is None or isinstance(value, InvalidJSONInput):
            return value
        return json.dumps(value, ensure_ascii=False, indent=2)


# How the fields of sites and panels are edited.
WIDGETS: dict[Any, dict[str, Any]] = {
    ArrayField: {"widget": UnfoldAdminTextInputWidget},
    models.JSONField: {"form_class": ReadableJSONField, "widget": UnfoldAdminTextareaWidget(attrs={"rows": 6})},
    models.TextField: {"widget": UnfoldAdminTextareaWidget(attrs={"rows": 6})},
}


class SeenStateForm(CuratedForm):
    """Knows the state that its page showed: `EditedPages` puts it on the object."""

    seen_state = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.initial["seen_state"] = getattr(self.instance, "seen_state", "")

    def clean(self) -> dict[str, Any] | None:
        """Takes the subject's lock: what is compared here stays as it is until this form is saved."""
        data = super().clean()
        if not self.instance._state.adding:
            lock_subjects(self.instance.subject)
            self._refuse_overwriting(self.cleaned_data.get("seen_state", ""))
        return data

    def _refuse_overwriting(self, seen: str) -> None:
        model, id_ = type(self.instance), self.instance.pk
        if seen != tell_state(model, id_):
            news = describe_news(model, id_, seen)
            raise forms.ValidationError(
                "Somebody else has saved this since you opened it, so nothing was saved now."
                f" Open the page again and repeat your changes.{f' What is new: {news}.' if news else ''}"
            )


class EditedPages:
    """Beside `ModelAdmin` in the bases of a page whose form is a `SeenStateForm`."""

    formfield_overrides = WIDGETS

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Curated | None:
        pages: Any = super()
        try:
            id_ = self.model._meta.pk.to_python(object_id)  # type: ignore[attr-defined]
            state = tell_state(self.model, id_)  # type: ignore[attr-defined]
        except forms.ValidationError:
            return None
        thing: Curated | None = pages.get_object(request, object_id, from_field)
        if thing is not None:
            thing.seen_state = state  # type: ignore[union-attr]
        return thing

    def delete_model(self, request: HttpRequest, obj: Curated) -> None:
        """Under the lock from before its rows are collected: none can come meanwhile."""
        pages: Any = super()
        with transaction.atomic():
            lock_subjects(obj.subject)
            pages.delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """All locks at once and in order: two curators who delete the same sites wait for each other."""
        pages: Any = super()
        with transaction.atomic():
            lock_subjects(*(thing.subject for thing in queryset))
            pages.delete_queryset(request, queryset.all())


def warn_of_jobs(request: HttpRequest, services: list[ImputationService]) -> None:
    """What it means to delete these sites, on the page that asks."""
    messages.warning(
        request,
        "Runs that were not sent to a deleted site yet fail, and of those that it has the results are not collected any"
        " more. To keep new jobs away and let the others finish, clear “is active” instead.",
    )
    for service in services[:20]:
        try:
            counts = [
                get_job_desk().list_jobs({"service_id": str(service.pk), "status": status, "limit": "1"}).total
                for status in _UNFINISHED
            ]
        except JobDeskError:
            messages.warning(
                request, "How many unfinished jobs there are cannot be told: job_processor does not answer."
            )
            return
        if sum(counts):
            messages.error(request, f"{service.name}: {sum(counts)} unfinished jobs use it.")
