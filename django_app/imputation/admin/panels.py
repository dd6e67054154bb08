from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin, TabularInline

from django_app.imputation.admin.editing import WIDGETS, CuratedForm, EditedPages, SeenStateForm
from django_app.imputation.admin.history import HistoryPages
from django_app.imputation.admin.importing import PanelSheets
from django_app.imputation.models import ReferencePanel


class PanelRow(CuratedForm):
    """In a table fields have no labels, so each says what it is, and of which panel."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        panel = f" of {self.instance.panel_id}" if self.instance.panel_id else ""
        for field in self.fields.values():
            field.widget.attrs["aria-label"] = f"{field.label}{panel}"


class PanelInline(TabularInline):
    """The panels of a site, on the site's page; a recipe is edited on the panel's own."""

    model = ReferencePanel
    form = PanelRow
    fields = (
        "name",
        "panel_id",
        "populations",
        "build",
        "samples_count",
        "variants_count",
        "is_active",
        "withdrawn_at",
    )
    readonly_fields = ("withdrawn_at",)
    formfield_overrides = WIDGETS
    extra = 0
    per_page = 50
    show_change_link = True


@admin.register(ReferencePanel)
class PanelAdmin(EditedPages, PanelSheets, HistoryPages, ModelAdmin):
    form = SeenStateForm
    history_kind = "panel"
    list_display = ("name", "service", "panel_id", "build", "samples_count", "variants_count", "is_active", "offered")
    list_filter = ("build", "is_active", ("withdrawn_at", admin.EmptyFieldListFilter), "service")
    list_select_related = ("service",)
    search_fields = ("name", "panel_id", "service__name")
    readonly_fields: tuple[str, ...] = ("withdrawn_at", "created_at", "updated_at")
    fields = (
        "service",
        "name",
        "panel_id",
        "build",
        "populations",
        "samples_count",
        "variants_count",
        "is_active",
        "recipe",
        *readonly_fields,
        "seen_state",
    )

    @admin.display(description="Offered", boolean=True, ordering="withdrawn_at")
    def offered(self, panel: ReferencePanel) -> bool:
        """By the site's own list, when it was last compared with ours."""
        return panel.withdrawn_at is None

    def get_readonly_fields(self, request: HttpRequest, obj: ReferencePanel | None = None) -> tuple[str, ...]:
        """A panel stays with its site."""
        return self.readonly_fields if obj is None else ("service", *self.readonly_fields)
