"""What a curator can have done with a site at once: try it from here, or have the registry probe it.

A button leads to a page that asks; `post_actions.js` spares the question by sending what the page would send. So
nothing is done by following a link.
"""

from collections.abc import Callable, Collection
from typing import Any

from asgiref.sync import async_to_sync
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.decorators import action

from django_app.imputation.connection import try_sites
from django_app.imputation.live_health import describe_health, get_live_health
from django_app.imputation.models import ImputationService

_MOST_AT_ONCE = 50


Button = Callable[["SiteActions", HttpRequest, str], HttpResponse]
TellFindings = Callable[[HttpRequest, Collection[ImputationService]], None]


def _button(title: str, path: str, icon: str) -> Callable[[Button], Button]:
    """unfold's `action`, typed; a link that `post_actions.js` makes a button of."""
    decorate: Callable[[Button], Button] = action(
        description=title, url_path=path, permissions=["change"], icon=icon, attrs={"data-post": ""}
    )
    return decorate


class SiteActions:
    """Beside `ModelAdmin` in the bases of the sites' page."""

    actions_detail = ("test_connection", "check_health")

    class Media:
        js = ("imputation/post_actions.js",)

    @_button("Test connection", "test-connection", "cable")
    def test_connection(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._act_on_one(request, object_id, "Test connection", tell_connections)

    @_button("Check health now", "check-health", "monitor_heart")
    def check_health(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._act_on_one(request, object_id, "Check health now", tell_healths)

    @admin.action(description="Test connection", permissions=["change"])
    def test_connections(self, request: HttpRequest, queryset: QuerySet[ImputationService]) -> None:
        act_on_many(request, queryset, tell_connections)

    @admin.action(description="Check health now", permissions=["change"])
    def check_healths(self, request: HttpRequest, queryset: QuerySet[ImputationService]) -> None:
        act_on_many(request, queryset, tell_healths)

    def _act_on_one(self: Any, request: HttpRequest, object_id: str, title: str, tell: TellFindings) -> HttpResponse:
        service = self.get_object(request, object_id)
        if service is None:
            return HttpResponseRedirect(reverse("admin:imputation_imputationservice_changelist"))
        back = reverse("admin:imputation_imputationservice_change", args=[service.pk])
        if request.method == "POST":
            tell(request, [service])
            return HttpResponseRedirect(back)
        context = {**self.admin_site.each_context(request), "title": title, "service": service, "back": back}
        return TemplateResponse(request, "imputation/confirm_action.html", context)


def act_on_many(request: HttpRequest, queryset: QuerySet[ImputationService], tell: TellFindings) -> None:
    services = list(queryset[: _MOST_AT_ONCE + 1])
    if len(services) > _MOST_AT_ONCE:
        messages.error(request, f"That would keep this page waiting: choose {_MOST_AT_ONCE} sites at most.")
        return
    tell(request, services)


def tell_connections(request: HttpRequest, services: Collection[ImputationService]) -> None:
    reports = async_to_sync(try_sites)(services)
    for service, report in zip(services, reports, strict=True):
        level = messages.SUCCESS if report.is_good else messages.ERROR
        messages.add_message(request, level, f"{service.name}: {report.describe()}")


def tell_healths(request: HttpRequest, services: Collection[ImputationService]) -> None:
    found = async_to_sync(get_live_health().check)([service.pk for service in services])
    for service in services:
        health = found[service.pk]
        if isinstance(health, str):
            messages.warning(request, f"{service.name}: {health}.")
            continue
        level = messages.SUCCESS if health.health_status == "healthy" else messages.ERROR
        messages.add_message(request, level, f"{service.name}: {describe_health(health)}")
