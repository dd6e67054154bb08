"""The pages of a set-up: `set-up/` begins one, `set-up/<draft>/<step>/` is a step of it.

Every POST is answered with a redirect, so that loading a page again asks nothing and sends nothing.
"""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from django_app.imputation.models import ImputationService
from django_app.imputation.wizard.drafts import Draft, drop_draft, find_draft, keep_draft
from django_app.imputation.wizard.saving import SavedBeforeError, save_draft
from django_app.imputation.wizard.steps import STEPS, Step
from microservices.kernel.crypto import DecryptionError

STEP_ROUTE = "imputation_set_up_step"
_LIST = "admin:imputation_imputationservice_changelist"
_SITE = "admin:imputation_imputationservice_change"


@never_cache
@sensitive_post_parameters()
def begin_set_up(request: HttpRequest, model_admin: Any) -> HttpResponse:
    draft = Draft()
    if request.method == "POST":
        return _take(request, draft, STEPS[0])
    return _show(request, model_admin, draft, STEPS[0])


@never_cache
@sensitive_post_parameters()
def show_step(request: HttpRequest, model_admin: Any, draft_id: UUID, step: str) -> HttpResponse:
    if not may_set_up(request):
        raise PermissionDenied
    wanted = next((known for known in STEPS if known.name == step), None)
    if wanted is None:
        raise Http404
    draft = find_draft(request, draft_id)
    if draft is None:
        return _explain_missing(request, draft_id)
    first_open = next(known for known in STEPS if known is STEPS[-1] or not known.is_complete(draft))
    if STEPS.index(wanted) > STEPS.index(first_open):
        return _go(draft, first_open)
    return _take(request, draft, wanted) if request.method == "POST" else _show(request, model_admin, draft, wanted)


def may_set_up(request: HttpRequest) -> bool:
    rights = ("imputation.add_imputationservice", "imputation.add_referencepanel")
    return bool(request.user.has_perms(rights))


def _show(request: HttpRequest, model_admin: Any, draft: Draft, step: Step) -> HttpResponse:
    context = {
        **model_admin.admin_site.each_context(request),
        "title": "Set up a site",
        "subtitle": step.title,
        "draft": draft,
        "finding": draft.finding,
        "step": step,
        "steps": _list_steps(draft, step),
        "is_first": step is STEPS[0],
        **step.show(draft),
    }
    return TemplateResponse(request, f"imputation/wizard/{step.name}.html", context)


def _list_steps(draft: Draft, current: Step) -> list[dict[str, Any]]:
    """Steps that are done, and the one after them, can be gone to."""
    listed, is_open = [], True
    for number, step in enumerate(STEPS, 1):
        is_done = step.is_complete(draft) if is_open else False
        listed.append(
            {
                "number": number,
                "title": step.title,
                "is_done": is_done,
                "is_current": step is current,
                "href": _address(draft, step) if is_open and draft.finding else "",
            }
        )
        is_open = is_open and is_done
    return listed


def _take(request: HttpRequest, draft: Draft, step: Step) -> HttpResponse:
    if "_discard" in request.POST:
        drop_draft(request, draft.id)
        messages.info(request, "The set-up was given up; nothing was saved.")
        return HttpResponseRedirect(reverse(_LIST))
    draft.type_in(step.name, request.POST)
    if "_back" in request.POST:
        keep_draft(request, draft)
        return _go(draft, STEPS[max(STEPS.index(step) - 1, 0)])
    goes_on = step.accept(request, draft)
    keep_draft(request, draft)
    if not goes_on:
        return _go(draft, step)
    return _finish(request, draft) if step is STEPS[-1] else _go(draft, STEPS[STEPS.index(step) + 1])


def _finish(request: HttpRequest, draft: Draft) -> HttpResponse:
    try:
        site = save_draft(draft)
    except SavedBeforeError:
        return _explain_missing(request, draft.id)
    except ValidationError as error:
        messages.error(request, f"It cannot be saved like this: {' '.join(error.messages)}")
        return _go(draft, STEPS[-1])
    except DecryptionError:
        draft.drop_credential()
        keep_draft(request, draft)
        messages.error(request, "The credential can no longer be opened with the platform's keys: enter it again.")
        return _go(draft, STEPS[2])
    drop_draft(request, draft.id)
    count = site.panels.count()
    messages.success(
        request, f"{site.name} was saved with {count} panel{'' if count == 1 else 's'}; the registry is told now."
    )
    return HttpResponseRedirect(reverse(_SITE, args=[site.pk]))


def _explain_missing(request: HttpRequest, draft_id: UUID) -> HttpResponse:
    """A draft that has become a site leads there; one that is gone leads to a new beginning."""
    if ImputationService.objects.filter(pk=draft_id).exists():
        messages.info(request, "This set-up was saved before.")
        return HttpResponseRedirect(reverse(_SITE, args=[draft_id]))
    messages.warning(request, "This set-up has ended, with its log-in or because newer ones were begun. Begin again.")
    return HttpResponseRedirect(reverse("admin:imputation_imputationservice_set_up"))


def _go(draft: Draft, step: Step) -> HttpResponse:
    return HttpResponseRedirect(_address(draft, step))


def _address(draft: Draft, step: Step) -> str:
    return reverse(f"admin:{STEP_ROUTE}", args=[draft.id, step.name])
