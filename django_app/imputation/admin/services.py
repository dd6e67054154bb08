"""Sites with their panels, and how far the registry is."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import CharField, Count, QuerySet, Value
from django.db.models.functions import Cast, Concat
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldBooleanWidget

from django_app.imputation.admin.editing import EditedPages, SeenStateForm, warn_of_jobs
from django_app.imputation.admin.filters import HealthFilter, SyncFilter
from django_app.imputation.admin.history import HistoryPages
from django_app.imputation.admin.importing import SiteExport
from django_app.imputation.admin.panels import PanelInline
from django_app.imputation.admin.registry_view import RegistryColumns
from django_app.imputation.admin.site_actions import SiteActions
from django_app.imputation.models import ImputationService
from django_app.imputation.validation import validate_credential, validate_recipients
from django_app.outbox.states import annotate_state


class ServiceForm(SeenStateForm):
    """The credential is written here and never shown: an empty field keeps the one that is set."""

    new_credential = forms.CharField(
        required=False,
        max_length=8000,
        validators=[validate_credential],
        widget=UnfoldAdminPasswordWidget(render_value=False, attrs={"autocomplete": "new-password"}),
        help_text="Written only. Leave it empty to keep the credential that is set.",
    )
    clear_credential = forms.BooleanField(required=False, widget=UnfoldBooleanWidget())

    class Meta:
        model = ImputationService
        fields = "__all__"  # what is not editable (the credential itself) is left out by Django
        labels: ClassVar = {
            "api_type": "API type",
            "base_url": "Base URL",
            "api_config": "Adapter settings",
            "max_file_size_mb": "Largest file (MiB)",
            "requires_auth": "Requires a credential",
        }

    def clean(self) -> dict[str, Any] | None:
        data = super().clean()
        given, before = self.cleaned_data, self.instance
        keeps = not (given.get("new_credential") or given.get("clear_credential"))
        if before.credential and keeps and not {"base_url", "api_config"} & self.errors.keys():
            try:
                validate_recipients(vars(before), given)
            except forms.ValidationError as error:
                self.add_error("new_credential", error)
        return data

    def save(self, commit: bool = True) -> Any:
        text = self.cleaned_data["new_credential"]
        if text or self.cleaned_data["clear_credential"]:
            self.instance.set_credential(text)
        return super().save(commit)


@admin.register(ImputationService)
class ServiceAdmin(SiteActions, RegistryColumns, EditedPages, SiteExport, HistoryPages, ModelAdmin):
    history_kind = "site"
    form = ServiceForm
    inlines = (PanelInline,)
    list_display = ("name", "api_type", "country", "is_active", "panel_count", "live_health", "sync_state")
    list_filter = ("api_type", "country", "is_active", HealthFilter, SyncFilter)
    search_fields = ("name", "base_url", "location", "panels__name", "panels__panel_id")
    readonly_fields = ("credential_state", *RegistryColumns.registry_fields, "created_at", "updated_at")
    actions = ("test_connections", "check_healths", "sync_many", "push_many")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "name",
                    "service_type",
                    "api_type",
                    "base_url",
                    "location",
                    "country",
                    "is_active",
                    "seen_state",
                )
            },
        ),
        (
            "Access",
            {
                "fields": (
                    "requires_auth",
                    "credential_state",
                    "new_credential",
                    "clear_credential",
                    "credential_shared",
                    "ca_pem",
                )
            },
        ),
        ("Limits", {"fields": ("max_file_size_mb", "supported_formats", "min_samples", "max_samples")}),
        ("Adapter", {"fields": ("api_config",)}),
        ("As the registry knows it", {"fields": RegistryColumns.registry_fields}),
        ("Dates", {"fields": ("created_at", "updated_at")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[ImputationService]:
        subject = Concat(Value("site/"), Cast("id", CharField()))
        queryset: QuerySet[ImputationService] = super().get_queryset(request)
        return annotate_state(queryset.annotate(panel_total=Count("panels", distinct=True)), subject)

    @admin.display(description="Panels", ordering="panel_total")
    def panel_count(self, service: Any) -> int:
        return int(service.panel_total)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        if "post" not in request.POST:
            warn_of_jobs(request, list(objs))
        return super().get_deleted_objects(objs, request)

    @admin.display(description="Credential")
    def credential_state(self, service: ImputationService) -> str:
        when = service.credential_set_at
        return f"set on {when:%Y-%m-%d %H:%M} UTC" if when else "not set"
