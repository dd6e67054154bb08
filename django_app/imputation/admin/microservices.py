"""`/admin/microservices/`: how our own services are, now; for operators also their logs and a restart of each.

Curators see how the services are, since it explains what their sites do; logs tell of everybody's doings, and a restart
is everybody's concern.
"""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from asgiref.sync import async_to_sync
from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from django_app.config.supervisor import Supervisor, SupervisorError, find_supervisor
from django_app.imputation.admin.acts import record_act
from django_app.imputation.processes import survey_processes

REFRESH_S, REFRESH_WHILE_CHANGING_S = 10, 2
OPERATE = "staff.operate_services"
LOG_PAGE = 100
_LEVELS = [("", "Any level"), *((name, f"{name} and worse") for name in ("debug", "info", "warning", "error"))]
_LEVELS += [("critical", "critical")]
_LEVEL_LOOKS = {"info": "info", "warning": "warning", "error": "danger", "critical": "danger"}
_CONSEQUENCES = {
    "django": "The admin, which you are using, is away for some seconds; this page comes back by itself.",
    "database": "Every service loses its connections for some seconds and takes them up again.",
    "cache": "Rate limits, live events and the workers' messages pause for some seconds.",
    "worker": "What it is doing is taken up again from where it was.",
    "sandbox": "The jobs that it is running are lost, as at a site that breaks down.",
}

View = Callable[..., HttpResponse]


class LogFilter(forms.Form):
    level = forms.ChoiceField(choices=_LEVELS, required=False, widget=UnfoldAdminSelectWidget())
    text = forms.CharField(label="Contains", required=False, max_length=200, widget=UnfoldAdminTextInputWidget())
    request_id = forms.CharField(label="Request id", required=False, max_length=64, widget=UnfoldAdminTextInputWidget())
    before = forms.RegexField(r"^[01]:\d{1,12}$", required=False, widget=forms.HiddenInput())


def operated(view: View) -> View:
    """For operators, and where there is a supervisor to operate with."""

    def check(request: HttpRequest, name: str) -> HttpResponse:
        if not request.user.has_perm(OPERATE):
            raise PermissionDenied
        supervisor = find_supervisor()
        if supervisor is None:
            raise Http404("Nothing is restarted from here in this deployment.")
        return view(request, name, supervisor)

    return never_cache(check)


@never_cache
@require_safe
def show_microservices(request: HttpRequest) -> TemplateResponse:
    supervisor = find_supervisor()
    overview = async_to_sync(survey_processes)(supervisor)
    settled = overview.is_settled or overview.problem
    context = {
        **admin.site.each_context(request),
        "title": "Microservices",
        "overview": overview,
        "checked_at": timezone.now(),
        "refresh_s": REFRESH_S if settled else REFRESH_WHILE_CHANGING_S,
        "may_operate": request.user.has_perm(OPERATE),
        "has_supervisor": supervisor is not None,
        "on_kubernetes": bool(settings.ENVIRONMENT.kubernetes_host),
    }
    return TemplateResponse(request, "imputation/console/microservices.html", context)


@operated
@require_http_methods(["GET", "HEAD", "POST"])
def restart_service(request: HttpRequest, name: str, supervisor: Supervisor) -> HttpResponse:
    """The supervisor restarts it a second after it has said yes: also Django, the gateway or PostgreSQL, which this
    answer still needs.
    """
    back = reverse("microservices")
    try:
        if request.method != "POST":
            return _ask_about_restart(request, name, supervisor)
        async_to_sync(supervisor.ask)("restart", name=name, answer_first=True)
    except SupervisorError as error:
        messages.error(request, f"{name} is not restarted. {error}")
        return HttpResponseRedirect(back)
    record_act(request, key=name, name=f"service {name}", words="Restarted.")
    context = {**admin.site.each_context(request), "title": f"Restarting {name}", "name": name, "back": back}
    return TemplateResponse(request, "imputation/console/restarting.html", context)


def _ask_about_restart(request: HttpRequest, name: str, supervisor: Supervisor) -> HttpResponse:
    told = async_to_sync(supervisor.ask)("status")
    kinds = {process["name"]: process["kind"] for process in told["processes"]}
    if name not in kinds:
        raise Http404(f"There is no process {name}.")
    context = {
        **admin.site.each_context(request),
        "title": f"Restart {name}?",
        "consequence": _CONSEQUENCES.get(
            kinds[name], "What it is answering is finished first; others wait some seconds."
        ),
        "yes": "Restart",
        "back": reverse("microservices"),
    }
    return TemplateResponse(request, "imputation/console/confirm.html", context)


@operated
@require_safe
def show_logs(request: HttpRequest, name: str, supervisor: Supervisor) -> HttpResponse:
    form = LogFilter(request.GET)
    found: dict[str, Any] = {}
    problem = ""
    wanted = {key: value for key, value in form.cleaned_data.items() if value} if form.is_valid() else {}
    if form.is_valid():
        try:
            found = async_to_sync(supervisor.ask)("logs", name=name, limit=LOG_PAGE, **wanted)
        except SupervisorError as error:
            problem = str(error)
    narrowed = {key: value for key, value in wanted.items() if key != "before"}
    older = found.get("older", "")
    context = {
        **admin.site.each_context(request),
        "title": f"Logs of {name}",
        "form": form,
        "entries": [{**entry, "look": _LEVEL_LOOKS.get(entry["level"], "")} for entry in found.get("entries", [])],
        "problem": problem,
        "narrowed": bool(narrowed),
        "newest": f"?{urlencode(narrowed)}" if "before" in wanted else "",
        "older": f"?{urlencode({**narrowed, 'before': older})}" if older else "",
        "refresh_s": REFRESH_S,
        "back": reverse("microservices"),
    }
    return TemplateResponse(request, "imputation/console/logs.html", context)


def list_urls() -> list[URLPattern]:
    def page(route: str, view: View, name: str) -> URLPattern:
        return path(f"admin/microservices/{route}", admin.site.admin_view(view), name=name)

    return [
        page("", show_microservices, "microservices"),
        page("<slug:name>/restart/", restart_service, "restart-microservice"),
        page("<slug:name>/logs/", show_logs, "microservice-logs"),
    ]
