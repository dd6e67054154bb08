"""Which columns panels and sites have in files, and how rows become panels: one by one, through `save()`."""

import json
from collections import Counter
from typing import Any
from uuid import UUID

import tablib
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from import_export.fields import Field
from import_export.resources import ModelResource
from import_export.results import Result
from import_export.widgets import Widget

from django_app.imputation.history import FieldChange, describe_value
from django_app.imputation.models import ImputationService, ReferencePanel, site_subject
from django_app.imputation.sheets import ROW_NUMBER, SheetError, restore_text
from django_app.imputation.validation import validate_storable
from django_app.outbox.recording import lock_subjects

_SEPARATOR = ";"
_WORDS = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}


class TextWidget(Widget):
    def clean(self, value: Any, row: Any = None, **_options: Any) -> str:
        text = restore_text(str(value if value is not None else "").strip())
        validate_storable(text)
        return text


class SiteWidget(TextWidget):
    """Each import has one of its own, which asks for each site once."""

    def __init__(self) -> None:
        super().__init__()
        self._known: dict[str, ImputationService] = {}

    def clean(self, value: Any, row: Any = None, **_options: Any) -> ImputationService:  # type: ignore[override]
        text = super().clean(value)
        if text not in self._known:
            self._known[text] = find_site(text)
        return self._known[text]


class ListWidget(TextWidget):
    def clean(self, value: Any, row: Any = None, **_options: Any) -> list[str]:  # type: ignore[override]
        return [word.strip() for word in super().clean(value).split(_SEPARATOR) if word.strip()]

    def render(self, value: Any, _obj: Any = None, **_options: Any) -> str:
        return _SEPARATOR.join(value or [])


class CountWidget(Widget):
    def clean(self, value: Any, row: Any = None, **_options: Any) -> int | None:
        text = str(value if value is not None else "").strip().removesuffix(".0")
        if not text:
            return None
        if not (text.isascii() and text.isdigit()):
            raise ValueError("Give a whole number without separators, or leave the cell empty.")
        return int(text[:30])

    def render(self, value: Any, _obj: Any = None, **_options: Any) -> int | None:
        return value if isinstance(value, int) else None


class YesNoWidget(Widget):
    def clean(self, value: Any, row: Any = None, **_options: Any) -> bool:
        known = _WORDS.get(str(value).strip().lower())
        if known is None:
            raise ValueError("Give yes or no.")
        return known

    def render(self, value: Any, _obj: Any = None, **_options: Any) -> str:
        return "" if value is None else "yes" if value else "no"


class JsonWidget(TextWidget):
    def clean(self, value: Any, row: Any = None, **_options: Any) -> Any:
        text = super().clean(value)
        try:
            return json.loads(text) if text else None
        except (ValueError, RecursionError) as error:
            raise ValueError(f"Not valid JSON: {error}.") from error

    def render(self, value: Any, _obj: Any = None, **_options: Any) -> str:
        return "" if value is None else json.dumps(value, ensure_ascii=False)


def find_site(text: str) -> ImputationService:
    """By its id or its whole name. Raises `ValidationError` when none or several are meant."""
    try:
        chosen = Q(pk=UUID(text))
    except ValueError:
        chosen = Q(name=text)
    found = list(ImputationService.objects.filter(chosen)[:2])
    if len(found) == 1:
        return found[0]
    problem = (
        f"Several sites are called {text}: give the id" if found else f"There is no site called {text or '(empty)'}"
    )
    raise ValidationError({"service": f"{problem}."})


class ChangedFields:
    """The library's `Diff`: here only the fields that change."""

    def __init__(self, resource: "PanelResource", instance: Any, new: bool) -> None:
        self._old = {} if new else self._read(resource, instance)
        self._new: dict[str, str] = {}

    def compare_with(self, resource: "PanelResource", instance: Any) -> None:
        self._new = self._read(resource, instance)

    def as_html(self) -> list[FieldChange]:
        empty = describe_value(None)
        pairs = [(name, self._old.get(name, empty), value) for name, value in self._new.items()]
        return [FieldChange(name, old, value) for name, old, value in pairs if old != value]

    def _read(self, resource: "PanelResource", instance: Any) -> dict[str, str]:
        return {field.column_name: describe_value(field.export(instance)) for field in resource.get_import_fields()}


class NumberedResult(Result):
    """Rows are called by their numbers in the file."""

    def append_invalid_row(self, _number: int, row: Any, validation_error: ValidationError) -> None:
        super().append_invalid_row(row[ROW_NUMBER], row, validation_error)

    def append_error_row(self, _number: int, row: Any, errors: list[Any]) -> None:
        super().append_error_row(row[ROW_NUMBER], row, errors)


class PanelResource(ModelResource):
    """Panels are matched by site and panel_id; what a file has no column for stays as it is."""

    service = Field("service", "service", SiteWidget())
    panel_id = Field("panel_id", "panel_id", TextWidget())
    name = Field("name", "name", TextWidget())
    build = Field("build", "build", TextWidget())
    populations = Field("populations", "populations", ListWidget())
    samples_count = Field("samples_count", "samples_count", CountWidget())
    variants_count = Field("variants_count", "variants_count", CountWidget())
    is_active = Field("is_active", "is_active", YesNoWidget())
    recipe = Field("recipe", "recipe", JsonWidget())

    class Meta:
        model = ReferencePanel
        fields = (
            "service", "panel_id", "name", "build", "populations", "samples_count", "variants_count", "is_active",
            "recipe",
        )  # fmt: skip
        import_id_fields = ("service", "panel_id")
        skip_unchanged = True
        report_skipped = True
        clean_model_instances = True
        use_transactions = True

    @classmethod
    def get_display_name(cls) -> str:
        return "Panels"

    @classmethod
    def get_diff_class(cls) -> type[ChangedFields]:
        return ChangedFields

    @classmethod
    def get_result_class(cls) -> type[NumberedResult]:
        return NumberedResult

    def before_import(self, dataset: tablib.Dataset, **_options: Any) -> None:
        """Raises `SheetError`. Takes the locks of all sites at once, in order, so that two imports never deadlock."""
        self._check_columns(dataset.headers)
        keys = [(restore_text(str(row["service"]).strip()), str(row["panel_id"]).strip()) for row in dataset.dict]
        twice = [key for key, times in Counter(keys).items() if times > 1]
        if twice:
            raise SheetError(f"The file has the panel {twice[0][1]} of {twice[0][0]} twice.")
        lock_subjects(*_find_subjects({service for service, _ in keys}))

    def _check_columns(self, headers: list[str]) -> None:
        known = set(self.Meta.fields)
        given = [header for header in headers if header != ROW_NUMBER]
        unknown = sorted(set(given) - known)
        missing = sorted(set(self.Meta.import_id_fields) - set(given))
        twice = sorted(header for header, times in Counter(given).items() if times > 1)
        for problem, columns in (("does not know", unknown), ("needs", missing), ("takes only one of", twice)):
            if columns:
                raise SheetError(
                    f"The import {problem}: {', '.join(columns)}. Columns are {', '.join(self.Meta.fields)}."
                )

    def save_instance(self, instance: ReferencePanel, is_create: bool, row: Any, **options: Any) -> None:
        """A preview saves nothing, so it neither keeps others waiting nor leaves a trace."""
        if not options["dry_run"]:
            instance._change_reason = f"import of {options['file_name']}"  # type: ignore[attr-defined]
            super().save_instance(instance, is_create, row, **options)

    def before_export(self, queryset: QuerySet[ReferencePanel], **_options: Any) -> None:
        names = Counter(ImputationService.objects.values_list("name", flat=True))
        self._shared_names = {name for name, times in names.items() if times > 1}

    def dehydrate_service(self, panel: ReferencePanel) -> str:
        service = panel.service
        return str(service.pk) if service.name in self._shared_names else service.name


def _find_subjects(given: set[str]) -> set[str]:
    subjects = set()
    for text in given:
        try:
            subjects.add(site_subject(find_site(text).pk))
        except ValidationError:
            continue  # its row says so
    return subjects


class SiteResource(ModelResource):
    """For reports: sites are not imported, and their secrets never leave."""

    supported_formats = Field("supported_formats", "supported_formats", ListWidget())
    api_config = Field("api_config", "api_config", JsonWidget())
    panels = Field("panel_total", "panels")

    class Meta:
        model = ImputationService
        fields = (
            "id", "name", "service_type", "api_type", "base_url", "location", "country", "requires_auth",
            "credential_set_at", "credential_shared", "is_active", "max_file_size_mb", "supported_formats",
            "min_samples", "max_samples", "api_config", "panels", "created_at", "updated_at",
        )  # fmt: skip

    @classmethod
    def get_display_name(cls) -> str:
        return "Sites"
