"""`/admin/jobs/`: everybody's jobs, live, for curators and administrators; they may cancel and retry them.

What they do is written into the job's history, for its owner to see, and into the admin's own log.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe
from unfold.widgets import INPUT_CLASSES, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from django_app.imputation.admin.acts import record_act
from django_app.imputation.job_desk import JobDesk, JobDeskError, JobUnknownError, get_job_desk
from django_app.imputation.models import ImputationService, ReferencePanel
from microservices.contracts.job_oversight import OverseenJob, OverseenRun, OverseenUpdate

VIEW, STEER = "staff.view_jobs", "staff.steer_jobs"
LIST_REFRESH_S, JOB_REFRESH_S = 10, 5
_PAGE = 25
_STATUSES = ("queued", "running", "completed", "partly_completed", "failed", "cancelled")
_UNFINISHED = {"queued", "running"}
_LOOKS = {"completed": "success", "failed": "danger", "partly_completed": "warning", "waiting_for_site": "warning"}
_LOOKS |= {"queued": "default", "cancelled": "default"}

View = Callable[..., HttpResponse]


def _make_date_field(label: str) -> forms.DateField:
    widget = forms.DateInput({"type": "date", "class": " ".join(INPUT_CLASSES)}, format="%Y-%m-%d")
    return forms.DateField(label=label, required=False, widget=widget)


class JobFilter(forms.Form):
    q = forms.CharField(
        label="Name, or id of job or owner", required=False, max_length=200, widget=UnfoldAdminTextInputWidget()
    )
    status = forms.ChoiceField(
        choices=[("", "Any status"), *((status, status.replace("_", " ")) for status in _STATUSES)],
        required=False,
        widget=UnfoldAdminSelectWidget(),
    )
    service_id = forms.ModelChoiceField(
        ImputationService.objects.all(),
        label="Site",
        required=False,
        empty_label="Any site",
        widget=UnfoldAdminSelectWidget(),
    )
    made_from = _make_date_field("Made from")
    made_until = _make_date_field("Made until")

    def list_wanted(self) -> dict[str, str]:
        """As job_processor takes it; days are whole days in UTC. Without what the form refuses."""
        given = {name: value for name, value in getattr(self, "cleaned_data", {}).items() if value}
        wanted = {name: str(given[name]).strip() for name in ("q", "status") if name in given}
        if "service_id" in given:
            wanted["service_id"] = str(given["service_id"].pk)
        if "made_from" in given:
            wanted["created_after"] = _write_day(given["made_from"])
        if given.get("made_until", date.max) < date.max:
            wanted["created_before"] = _write_day(given["made_until"] + timedelta(days=1))
        return wanted


def _write_day(day: date) -> str:
    return f"{day.isoformat()}T00:00:00Z"


@dataclass(frozen=True)
class Places:
    """Names of sites and panels, which jobs know by their ids."""

    sites: dict[UUID, str]
    panels: dict[UUID, str]

    @classmethod
    def find(cls, runs: Iterable[OverseenRun]) -> "Places":
        runs = list(runs)
        sites = ImputationService.objects.filter(pk__in={run.service_id for run in runs})
        panels = ReferencePanel.objects.filter(pk__in={run.panel_id for run in runs})
        return cls(dict(sites.values_list("pk", "name")), dict(panels.values_list("pk", "name")))

    def name_target(self, run: OverseenRun) -> str:
        site = self.sites.get(run.service_id, f"a site that is no longer here ({run.service_id})")
        return f"{self.panels.get(run.panel_id, 'a panel that is no longer here')} at {site}"


def describe_job(job: OverseenJob, places: Places) -> dict[str, Any]:
    return {
        "record": job,
        "look": _LOOKS.get(job.status, "info"),
        "status": job.status.replace("_", " "),
        "owner": str(job.owner_id).partition("-")[0],
        "targets": [places.name_target(run) for run in job.runs],
        "may_be_cancelled": job.status in _UNFINISHED,
        "may_be_retried": any(run.status == "failed" for run in job.runs),
        "parameters": [
            (name.replace("_", " "), value if isinstance(value, str) else json.dumps(value))
            for name, value in job.parameters.items()
            if value not in (None, [], {}, "")
        ],
        "runs": [
            {
                "record": run,
                "target": places.name_target(run),
                "status": run.status.replace("_", " "),
                "look": _LOOKS.get(run.status, "info"),
            }
            for run in job.runs
        ],
    }


def describe_update(update: OverseenUpdate, job: OverseenJob, places: Places) -> dict[str, Any]:
    run = next((run for run in job.runs if run.id == update.run_id), None)
    return {
        "record": update,
        "of": places.name_target(run) if run else "the job",
        "status": update.status.replace("_", " "),
        "look": _LOOKS.get(update.status, "info"),
    }


@never_cache
@require_safe
def show_jobs(request: HttpRequest) -> HttpResponse:
    form = JobFilter({name: value for name, value in request.GET.items() if name != "cursor"})
    form.is_valid()
    wanted, cursor = form.list_wanted(), request.GET.get("cursor", "")
    context = {**_frame(request, "Jobs"), "form": form, "refresh_s": LIST_REFRESH_S, "asked_at": timezone.now()}
    try:
        query = {**wanted, "limit": str(_PAGE), **({"cursor": cursor} if cursor else {})}
        page = get_job_desk().list_jobs(query)
    except JobDeskError as error:
        context["problem"] = str(error)
    else:
        places = Places.find(run for job in page.items for run in job.runs)
        context["jobs"] = [describe_job(job, places) for job in page.items]
        context["total"] = page.total
        kept = {name: value for name, value in request.GET.items() if name != "cursor" and value}
        context["first"] = f"?{urlencode(kept)}" if cursor else ""
        context["next"] = f"?{urlencode({**kept, 'cursor': page.next_cursor})}" if page.next_cursor else ""
    return TemplateResponse(request, "imputation/jobs/list.html", context)


def _frame(request: HttpRequest, title: str) -> dict[str, Any]:
    return {**admin.site.each_context(request), "title": title, "may_steer": request.user.has_perm(STEER)}


@never_cache
@require_safe
def show_job(request: HttpRequest, job_id: UUID) -> HttpResponse:
    context = {**_frame(request, "Job"), "refresh_s": JOB_REFRESH_S, "asked_at": timezone.now()}
    try:
        job = get_job_desk().get_job(job_id)
        updates = get_job_desk().list_updates(job_id)
    except JobUnknownError as error:
        raise Http404(str(error)) from error
    except JobDeskError as error:
        context["problem"] = str(error)
    else:
        places = Places.find(job.runs)
        context["title"] = job.name
        context["job"] = describe_job(job, places)
        context["updates"] = [describe_update(update, job, places) for update in updates]
    return TemplateResponse(request, "imputation/jobs/detail.html", context)


@dataclass(frozen=True)
class Act:
    """Something that staff do with a job, after they were asked whether they mean it."""

    title: str
    consequence: str
    yes: str
    done: str
    carry_out: Callable[[JobDesk, UUID, str], OverseenJob]


CANCEL = Act(
    "Cancel this job?",
    "Runs that are at a site are cancelled there; results that are here stay. Its owner sees who did it.",
    "Cancel the job",
    "The job is being cancelled.",
    JobDesk.cancel,
)
RETRY = Act(
    "Retry this job?",
    "Its failed runs are sent to their sites again; the others stay as they are. Its owner sees who did it.",
    "Retry failed runs",
    "The failed runs are being sent again.",
    JobDesk.retry,
)


def _make_view(act: Act) -> View:
    @never_cache
    @require_http_methods(["GET", "HEAD", "POST"])
    def decide(request: HttpRequest, job_id: UUID) -> HttpResponse:
        back = reverse("job", args=[job_id])
        if request.method == "POST":
            _carry_out(request, job_id, act)
            return HttpResponseRedirect(back)
        context = {**_frame(request, act.title), "consequence": act.consequence, "yes": act.yes, "back": back}
        return TemplateResponse(request, "imputation/console/confirm.html", context)

    return decide


def _carry_out(request: HttpRequest, job_id: UUID, act: Act) -> None:
    try:
        job = act.carry_out(get_job_desk(), job_id, request.user.get_username())
    except JobDeskError as error:
        messages.error(request, str(error))
        return
    record_act(request, key=str(job_id), name=f"job {job.name}", words=act.done)
    messages.success(request, act.done)


def list_urls() -> list[URLPattern]:
    def page(route: str, view: View, name: str, permission: str) -> URLPattern:
        guarded = permission_required(permission, raise_exception=True)(view)
        return path(f"admin/jobs/{route}", admin.site.admin_view(guarded), name=name)

    return [
        page("", show_jobs, "jobs", VIEW),
        page("<uuid:job_id>/", show_job, "job", VIEW),
        page("<uuid:job_id>/cancel/", _make_view(CANCEL), "cancel-job", STEER),
        page("<uuid:job_id>/retry/", _make_view(RETRY), "retry-job", STEER),
    ]
