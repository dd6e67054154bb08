"""The page that shows what differs between sites' panels and ours, and applies what is ticked there."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from asgiref.sync import async_to_sync
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views.decorators.cache import never_cache
from pydantic import ValidationError as ShapeError

from django_app.imputation.connection import advise, join_sentences
from django_app.imputation.models import Build, ImputationService
from django_app.imputation.panel_diff import PanelDiff, compare_panels
from django_app.imputation.panel_sync import DiffChangedError, apply_panels, ask_many
from microservices.backends.base import SiteError
from microservices.backends.description import OfferedPanel
from microservices.kernel.crypto import DecryptionError

_LIST = "admin:imputation_imputationservice_changelist"
Answer = tuple[OfferedPanel, ...] | Exception


@dataclass(frozen=True)
class SiteDiff:
    """One site of the page: its differences, or in `error` why there are none to be shown."""

    service: ImputationService
    diff: PanelDiff | None = None
    error: str = ""
    has_changed: bool = False


@never_cache
def sync_chosen(request: HttpRequest, model_admin: Any) -> HttpResponse:
    """Where the page of many sites sends what was ticked."""
    if not model_admin.has_change_permission(request):
        raise PermissionDenied
    ids = [text for text in request.POST.getlist("site") if _is_uuid(text)]
    services = list(ImputationService.objects.filter(pk__in=ids))
    if request.method != "POST" or not services:
        return HttpResponseRedirect(reverse(_LIST))
    return show_sync(request, model_admin, services, reverse(_LIST))


def show_sync(
    request: HttpRequest,
    model_admin: Any,
    services: Sequence[ImputationService],
    back: str,
    *,
    is_action: bool = False,
) -> HttpResponse:
    """Ask the sites and show what differs; where the page itself was sent, apply it first. What changed between the
    two is shown again and not applied."""
    answers = async_to_sync(ask_many)(services)
    pairs = list(zip(services, answers, strict=True))
    if request.method == "POST" and not is_action:
        shown = [_apply_shown(request, service, answer) for service, answer in pairs]
    else:
        shown = [_compare(service, answer) for service, answer in pairs]
    open_ = [entry for entry in shown if entry is not None]
    if not open_:
        return HttpResponseRedirect(back)
    context = {
        **model_admin.admin_site.each_context(request),
        "title": "Sync panels",
        "sites": open_,
        "has_differences": any(entry.diff and entry.diff.differences for entry in open_),
        "builds": Build.choices,
        "back": back,
        "post_to": reverse("admin:imputation_sync_panels") if len(services) > 1 or is_action else "",
    }
    return TemplateResponse(request, "imputation/panel_sync.html", context)


def _compare(service: ImputationService, answer: Answer) -> SiteDiff:
    if isinstance(answer, Exception):
        return SiteDiff(service, error=_explain(answer))
    return SiteDiff(service, compare_panels(service, answer))


def _apply_shown(request: HttpRequest, service: ImputationService, answer: Answer) -> SiteDiff | None:
    """None when it is done."""
    if isinstance(answer, Exception):
        return SiteDiff(service, error=_explain(answer))
    prefix = f"build/{service.pk}/"
    builds = {name.removeprefix(prefix): str(value) for name, value in request.POST.items() if name.startswith(prefix)}
    accepted = set(request.POST.getlist("accept"))
    shown = request.POST.get(f"fingerprint-{service.pk}", "")
    try:
        diff, applied = apply_panels(service, answer, shown=shown, accepted=accepted, builds=builds)
    except DiffChangedError as error:
        return SiteDiff(service, error.diff, has_changed=True)
    except ValidationError as error:
        return SiteDiff(service, error=f"Nothing was applied: {' '.join(error.messages)}")
    _tell(request, service, diff, applied, accepted)
    return None


def _tell(
    request: HttpRequest, service: ImputationService, diff: PanelDiff, applied: list[str], accepted: set[str]
) -> None:
    counts = {kind: sum(key.endswith(f"/{kind}") for key in applied) for kind in ("added", "withdrawn", "returned")}
    counts["updated"] = len(
        {key.rpartition("/")[0] for key in applied if key.endswith(("/name", "/populations", "/build"))}
    )
    words = ", ".join(f"{count} {kind}" for kind, count in counts.items() if count) or "nothing was ticked"
    messages.add_message(request, messages.SUCCESS if applied else messages.INFO, f"{service.name}: panels: {words}.")
    left = [one for one in diff.differences if one.kind == "added" and one.key in accepted and one.key not in applied]
    if left:
        names = ", ".join(one.panel_id for one in left[:5])
        messages.warning(request, f"{service.name}: not added, because no build was chosen: {names}.")


def _explain(error: Exception) -> str:
    match error:
        case SiteError():
            return join_sentences(error.message, advise(error.code, error.fix))
        case DecryptionError():
            return "Its credential cannot be opened with the platform's keys. Set it again."
        case ShapeError():
            return f"Its api_config is not valid. {error.errors()[0]['msg']}"
    raise error


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
