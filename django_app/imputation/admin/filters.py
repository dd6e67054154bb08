"""Sites by how far the registry is with them, and by how they are."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from django_app.imputation.live_health import get_live_health
from django_app.imputation.models import ImputationService
from django_app.outbox.states import STATES

_HEALTHS = ("healthy", "degraded", "unhealthy", "unknown")
_SILENT = "auto_deactivated"

Sites = QuerySet[ImputationService]


class SyncFilter(admin.SimpleListFilter):
    title = "sync state"
    parameter_name = "sync"

    def lookups(self, _request: HttpRequest, _admin: Any) -> list[tuple[Any, str]]:
        return list(STATES.items())

    def queryset(self, _request: HttpRequest, queryset: Sites) -> Sites:
        return queryset.filter(Q(sync_state=self.value())) if self.value() in STATES else queryset


class HealthFilter(admin.SimpleListFilter):
    """As the registry knows it now; a site that it does not know, and any while it does not answer, is unknown."""

    title = "health"
    parameter_name = "health"

    def lookups(self, _request: HttpRequest, _admin: Any) -> list[tuple[Any, str]]:
        return [*((name, name) for name in _HEALTHS), (_SILENT, "auto-deactivated")]

    def queryset(self, _request: HttpRequest, queryset: Sites) -> Sites:
        wanted = self.value()
        known = (get_live_health().read() or {}).values()
        if wanted == _SILENT:
            return queryset.filter(pk__in=[health.id for health in known if health.auto_deactivated_at])
        if wanted == "unknown":
            return queryset.exclude(pk__in=[health.id for health in known if health.health_status != wanted])
        if wanted in _HEALTHS:
            return queryset.filter(pk__in=[health.id for health in known if health.health_status == wanted])
        return queryset
