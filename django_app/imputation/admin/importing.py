"""Panels from and into files: a preview first, then all rows or none.

Between preview and confirmation the file travels in the page, signed, so that any process of ours can carry on. What is
confirmed is what was seen: when the catalogue has changed meanwhile, a new preview is shown instead.
"""

import json
from base64 import b64decode, b64encode
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_POST
from import_export.admin import ExportActionMixin, ImportMixin
from import_export.forms import ConfirmImportForm
from import_export.results import Result
from import_export.tmp_storages import BaseStorage
from unfold.contrib.import_export.forms import ExportForm, ImportForm

from django_app.imputation.exchange import PanelResource, SiteResource
from django_app.imputation.sheets import CsvSheet, SheetError, XlsxSheet

if TYPE_CHECKING:
    from django.db.models import QuerySet

_FORMATS: list[type[CsvSheet] | type[XlsxSheet]] = [CsvSheet, XlsxSheet]
_MOST_BYTES = 1024 * 1024  # as a field of the confirmation it is a third longer, and must pass as one
_CONFIRM_WITHIN_S = 3600
_SALT = "import of panels"
_OVERTAKEN = "The catalogue has changed since the preview was made; this is what would be done now."


class SignedUpload(BaseStorage):
    """The file itself is its name, which the page keeps."""

    def save(self, data: bytes) -> None:
        self.name = signing.dumps(b64encode(data).decode(), salt=_SALT)

    def read(self) -> bytes:
        """Raises `BadSignature` when it is not ours or too old."""
        return b64decode(signing.loads(self.name, salt=_SALT, max_age=_CONFIRM_WITHIN_S))

    def remove(self) -> None:
        """Gone with the page."""


class UploadForm(ImportForm):
    """The format follows from the file's name."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["format"].required = False
        self.fields["format"].widget = forms.HiddenInput()
        self.fields["import_file"].help_text = "CSV or XLSX, up to 1 MiB."
        self.fields["import_file"].widget.attrs["accept"] = ".csv,.xlsx"

    @property
    def media(self) -> forms.Media:
        """Without the library's script that guesses formats."""
        return forms.Media()

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        file = data.get("import_file")
        if file is not None:
            endings = [f".{kind().get_extension()}" for kind in _FORMATS]
            found = [str(index) for index, ending in enumerate(endings) if file.name.lower().endswith(ending)]
            if not found:
                self.add_error("import_file", "Choose a file whose name ends in .csv or .xlsx.")
            elif file.size > _MOST_BYTES:
                self.add_error("import_file", "The file is larger than 1 MiB: split it.")
            data["format"] = "".join(found)
        return data


class ConfirmForm(ConfirmImportForm):
    preview = forms.CharField(widget=forms.HiddenInput)
    format = forms.ChoiceField(choices=[(str(index), "") for index in range(len(_FORMATS))], widget=forms.HiddenInput)

    def clean_import_file_name(self) -> str:
        name = str(self.cleaned_data["import_file_name"])
        try:
            SignedUpload(name=name).read()
        except signing.BadSignature as error:
            raise forms.ValidationError("The preview is older than an hour: choose the file again.") from error
        return name


def fingerprint(result: Result) -> str:
    """What a preview showed."""
    rows = [
        (row.import_type, [(change.field, change.old, change.new) for change in row.diff or []]) for row in result.rows
    ]
    return sha256(json.dumps(rows).encode()).hexdigest()


def list_problems(result: Result) -> list[tuple[int | None, str]]:
    """(row of the file, what is wrong there in words), in the order of the file."""
    whole = [(None, describe_fault(error.error)) for error in result.base_errors]
    faulty = [(row.number, describe_fault(error.error)) for row in result.error_rows for error in row.errors]
    invalid = [
        (row.number, f"{field}: {message}" if field != "__all__" else message)
        for row in result.invalid_rows
        for field, found in row.error_dict.items()
        for message in found
    ]
    return [*whole, *sorted(faulty + invalid)]


def describe_fault(error: Exception) -> str:
    return str(error) if isinstance(error, SheetError) else f"cannot be read as a panel ({type(error).__name__})"


class PreviewedResource(PanelResource):
    """`expected`: the fingerprint of the preview that is confirmed."""

    def after_import(self, dataset: Any, result: Result, **options: Any) -> None:
        expected = options.get("expected")
        if expected and expected != fingerprint(result):
            raise SheetError(_OVERTAKEN)

    @classmethod
    def get_display_name(cls) -> str:
        return "Panels"


class SheetExport(ExportActionMixin):
    """Beside `ModelAdmin`: all that the filters leave, or the ticked rows, as a file."""

    export_form_class = ExportForm
    import_export_change_list_template = "imputation/sheets_list.html"
    formats = _FORMATS
    to_encoding = "utf-8-sig"  # spreadsheets take CSV for something else without the mark
    change_form_template = None
    show_change_form_export = False

    def has_export_permission(self, request: HttpRequest) -> bool:
        """The library lets everybody who is logged in."""
        return bool(self.has_view_permission(request))

    def get_valid_export_item_pks(self, _request: HttpRequest) -> "QuerySet[Any, Any]":
        pks: QuerySet[Any, Any] = self.model.objects.values_list("pk", flat=True)
        return pks


class SiteExport(SheetExport):
    resource_classes = (SiteResource,)


class PanelSheets(ImportMixin, SheetExport):
    """Beside `ModelAdmin` in the bases of the panels' page."""

    resource_classes = (PreviewedResource,)
    import_form_class = UploadForm
    confirm_form_class = ConfirmForm
    tmp_storage_class = SignedUpload
    import_template_name = "imputation/import.html"
    import_export_change_list_template = SheetExport.import_export_change_list_template

    def has_import_permission(self, request: HttpRequest) -> bool:
        return bool(self.has_add_permission(request) and self.has_change_permission(request))

    def add_data_read_fail_error_to_form(self, form: forms.Form, error: Exception) -> None:
        form.add_error("import_file", describe_fault(error))

    @method_decorator(require_POST)
    def process_import(self, request: HttpRequest, **_options: Any) -> HttpResponse:
        if not self.has_import_permission(request):
            raise PermissionDenied
        form = self.create_confirm_form(request)
        if not form.is_valid():
            return self._show(request, [(None, text) for found in form.errors.values() for text in found])
        sheet = _FORMATS[int(form.cleaned_data["format"])]()
        dataset = sheet.create_dataset(SignedUpload(name=form.cleaned_data["import_file_name"]).read())
        result = self.process_dataset(
            dataset, form, request, rollback_on_validation_errors=True, expected=form.cleaned_data["preview"]
        )
        if not result.has_errors() and not result.has_validation_errors():
            done: HttpResponse = self.process_result(result, request)
            return done
        messages.error(request, "Nothing was imported.")
        problems = list_problems(result)
        again = ConfirmForm(initial={**form.cleaned_data, "preview": fingerprint(result)})
        is_all_right = problems == [(None, _OVERTAKEN)]
        return self._show(request, problems, result=result, confirm_form=again if is_all_right else None)

    def import_action(self, request: HttpRequest, **options: Any) -> TemplateResponse:
        page: TemplateResponse = super().import_action(request, **options)
        context: dict[str, Any] = page.context_data or {}
        result = context.get("result")
        context["problems"] = list_problems(result) if result else []
        if "confirm_form" in context:
            context["confirm_form"].initial["preview"] = fingerprint(result)
        return page

    def _show(self, request: HttpRequest, problems: list[Any], **context: Any) -> TemplateResponse:
        form = UploadForm(_FORMATS, self.get_import_resource_classes(request))
        context = {"title": "Import", "opts": self.opts, "form": form, "problems": problems, **context}
        return TemplateResponse(
            request, self.import_template_name, {**self.admin_site.each_context(request), **context}
        )
