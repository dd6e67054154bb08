"""What a curator can have done with sites at once: try them from here, have the registry probe them or be told of them,
compare their panels with ours; and setting up a new one.

A button leads to a page that asks; `post_actions.js` spares the question by sending what the page would send. So
nothing is changed by following a link.
"""

from collections.abc import Callable, Sequence
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.decorators import action

from django_app.imputation.admin.panel_sync import show_sync, sync_chosen
from django_app.imputation.admin.site_results import Act, SiteResult, check_healths, push_sites, test_connections
from django_app.imputation.models import ImputationService
from django_app.imputation.wizard.pages import STEP_ROUTE, begin_set_up, show_step

LIST = "admin:imputation_imputationservice_changelist"
SITE = "admin:imputation_imputationservice_change"
_LEVELS = {"success": messages.SUCCESS, "warning": messages.WARNING, "danger": messages.ERROR, "info": messages.INFO}

Button = Callable[["SiteActions", HttpRequest, str], HttpResponse]


def _button(title: str, path: str, icon: str, *, asks: bool = True) -> Callable[[Button], Button]:
    """unfold's `action`, typed; a link that `post_actions.js` makes a button of, unless its page `asks` something."""
    decorate: Callable[[Button], Button] = action(
        description=title,
        url_path=path,
        permissions=["change"],
        icon=icon,
        attrs={} if asks else {"data-post": ""},
    )
    return decorate


class SiteActions:
    """Beside `ModelAdmin` in the bases of the sites' page."""

    actions_list = ("set_up",)
    actions_detail = ("test_connection", "check_health", "sync_panels", "push")
    change_form_outer_before_template = "imputation/site_actions.html"
    custom_urls = (
        ("set-up/<uuid:draft_id>/<slug:step>/", STEP_ROUTE, show_step),
        ("sync-panels/", "imputation_sync_panels", sync_chosen),
    )

    class Media:
        js = ("imputation/post_actions.js", "imputation/live_states.js")

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **options: Any
    ) -> TemplateResponse:
        """On the page itself: in its head they would leave no room for the site's name."""
        context["site_actions"] = context.pop("actions_detail", [])
        page: TemplateResponse = super().render_change_form(request, context, *args, **options)  # type: ignore[misc]
        return page

    @action(description="Set up a site", url_path="set-up", permissions=["add"], icon="add_link")  # type: ignore[untyped-decorator]
    def set_up(self: Any, request: HttpRequest) -> HttpResponse:
        return begin_set_up(request, self)

    @_button("Test connection", "test-connection", "cable", asks=False)
    def test_connection(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._act_on_one(request, object_id, "Test connection", test_connections)

    @_button("Check health now", "check-health", "monitor_heart", asks=False)
    def check_health(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._act_on_one(request, object_id, "Check health now", check_healths)

    @_button("Push to registry", "push", "publish", asks=False)
    def push(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._act_on_one(request, object_id, "Push to registry", push_sites)

    @_button("Sync panels", "sync-panels", "sync")
    def sync_panels(self: Any, request: HttpRequest, object_id: str) -> HttpResponse:
        service = self.get_object(request, object_id)
        if service is None:
            return HttpResponseRedirect(reverse(LIST))
        return show_sync(request, self, [service], reverse(SITE, args=[service.pk]))

    @admin.action(description="Test connection", permissions=["change"])
    def test_connections(self, request: HttpRequest, queryset: QuerySet[ImputationService]) -> HttpResponse:
        return self._act_on_many(request, queryset, "Test connection", test_connections)

    @admin.action(description="Check health now", permissions=["change"])
    def check_healths(self, request: HttpRequest, queryset: QuerySet[ImputationService]) -> HttpResponse:
        return self._act_on_many(request, queryset, "Check health now", check_healths)

    @admin.action(description="Push to registry", permissions=["change"])
    def push_many(self, request: HttpRequest, queryset: QuerySet[ImputationService]) -> HttpResponse:
        return self._act_on_many(request, queryset, "Push to registry", push_sites)

    @admin.action(description="Sync panels", permissions=["change"])
    def sync_many(self: Any, request: HttpRequest, queryset: QuerySet[ImputationService]) -> HttpResponse:
        return show_sync(request, self, list(queryset), reverse(LIST), is_action=True)

    def _act_on_one(self: Any, request: HttpRequest, object_id: str, title: str, act: Act) -> HttpResponse:
        service = self.get_object(request, object_id)
        if service is None:
            return HttpResponseRedirect(reverse(LIST))
        back = reverse(SITE, args=[service.pk])
        if request.method == "POST":
            [result] = act([service])
            messages.add_message(request, _LEVELS[result.look], f"{service.name}: {result.describe()}")
            return HttpResponseRedirect(back)
        context = {**self.admin_site.each_context(request), "title": title, "service": service, "back": back}
        return TemplateResponse(request, "imputation/confirm_action.html", context)

    def _act_on_many(
        self: Any, request: HttpRequest, queryset: QuerySet[ImputationService], title: str, act: Act
    ) -> HttpResponse:
        services = list(queryset)
        results = act(services)
        context = {
            **self.admin_site.each_context(request),
            "title": title,
            "results": results,
            "summary": _count(results),
            "action": request.POST.get("action", ""),
            "again": reverse(LIST),
        }
        return TemplateResponse(request, "imputation/site_results.html", context)


def _count(results: Sequence[SiteResult]) -> str:
    """`12 sites: 10 healthy, 2 unhealthy`."""
    verdicts = [result.verdict for result in results]
    counts = ", ".join(f"{verdicts.count(verdict)} {verdict}" for verdict in dict.fromkeys(verdicts))
    return f"{len(results)} site{'' if len(results) == 1 else 's'}: {counts}."
