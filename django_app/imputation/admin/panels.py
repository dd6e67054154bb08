from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin, TabularInline

from django_app.imputation.admin.history import HistoryPages
from django_app.imputation.admin.importing import PanelSheets
from django_app.imputation.models import ReferencePanel


class PanelInline(TabularInline):
    """The panels of a site, on the site's page; a recipe is edited on the panel's own."""

    model = ReferencePanel
    fields = ("name", "panel_id", "populations", "build", "samples_count", "variants_count", "is_active")
    extra = 0
    show_change_link = True


@admin.register(ReferencePanel)
class PanelAdmin(PanelSheets, HistoryPages, ModelAdmin):
    history_kind = "panel"
    list_display = ("name", "service", "panel_id", "build", "samples_count", "variants_count", "is_active")
    list_filter = ("build", "is_active", "service")
    list_select_related = ("service",)
    search_fields = ("name", "panel_id", "service__name")
    readonly_fields = ("created_at", "updated_at")

    def get_readonly_fields(self, request: HttpRequest, obj: ReferencePanel | None = None) -> tuple[str, ...]:
        """A panel stays with its site."""
        return self.readonly_fields if obj is None else ("service", *self.readonly_fields)
