"""Deliveries, to look at and to try again; nobody writes them by hand."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import F
from django.http import HttpRequest, JsonResponse
from django.urls import path
from unfold.admin import ModelAdmin

from django_app.outbox.models import Delivery, Subject
from django_app.outbox.recording import retry_delivery
from django_app.outbox.states import annotate_state, explain_state

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.urls import URLPattern
    from django.utils.functional import _StrPromise


class StateFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, _request: HttpRequest, _admin: object) -> "list[tuple[str, str | _StrPromise]]":
        return [("waiting", "waiting"), ("parked", "parked"), ("delivered", "delivered")]

    def queryset(self, _request: HttpRequest, queryset: "QuerySet[Delivery]") -> "QuerySet[Delivery]":
        match self.value():
            case "delivered":
                return queryset.exclude(delivered_at=None)
            case "parked":
                return queryset.filter(delivered_at=None).exclude(parked_at=None)
            case "waiting":
                return queryset.filter(delivered_at=None, parked_at=None)
        return queryset


_MOST_STATES = 500


@admin.register(Delivery)
class DeliveryAdmin(ModelAdmin):
    list_display = ("subject", "subscriber", "state", "version", "attempts", "error", "occurred_at", "next_attempt_at")
    list_filter = (StateFilter, "subscriber")
    search_fields = ("subject", "error")
    ordering = ("-id",)
    actions = ("retry_now",)

    @admin.display(description="State")
    def state(self, row: Delivery) -> str:
        if row.delivered_at:
            return "delivered"
        if row.parked_at:
            return "parked"
        return "tried again" if row.attempts else "waiting"

    @admin.action(description="Try again now", permissions=["view"])
    def retry_now(self, request: HttpRequest, queryset: "QuerySet[Delivery]") -> None:
        count = retry_delivery(list(queryset.values_list("pk", flat=True)))
        self.message_user(request, f"{count} deliveries are tried again now.")

    def get_urls(self) -> "list[URLPattern]":
        states = path("states/", self.admin_site.admin_view(self.tell_states), name="outbox_delivery_states")
        urls: list[URLPattern] = super().get_urls()
        return [states, *urls]

    def tell_states(self, request: HttpRequest) -> JsonResponse:
        """`?subjects=site/…,site/…` → subject → its state in words: what `live_states.js` asks every second."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        names = request.GET.get("subjects", "").replace("\x00", "").split(",")[:_MOST_STATES]
        rows: Any = annotate_state(Subject.objects.filter(name__in=names), F("name"))
        return JsonResponse({row.name: explain_state(row) for row in rows})

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Delivery | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Delivery | None = None) -> bool:
        return False
