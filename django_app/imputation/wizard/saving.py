"""A draft as the site and the panels that it will be: looked at, and saved in one transaction."""

from collections import Counter
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from django_app.imputation.models import ImputationService, ReferencePanel
from django_app.imputation.wizard.drafts import Draft
from django_app.imputation.wizard.entries import open_access_form, open_site_form, read_api_type, read_config
from django_app.imputation.wizard.forms import ReviewForm
from django_app.imputation.wizard.panel_step import BY_HAND, collect_panels
from django_app.outbox.recording import lock_subjects

_SETTINGS = {
    "allow_private_network": "Private network, or plain http",
    "app": "Application",
    "token_url": "Token address",
    "input_mode": "Input",
}
_MOST_PROBLEMS = 3


class SavedBeforeError(Exception):
    """The draft has become a site already, such as by a second click."""


def open_review_form(draft: Draft) -> ReviewForm:
    answers = draft.finding is not None and draft.finding.health != "unhealthy"
    return ReviewForm(draft.read_typed("review"), answers=answers, initial={"is_active": answers})


def review_draft(draft: Draft) -> dict[str, Any]:
    """The context of the last page."""
    site = compose_site(draft)
    panels = collect_panels(draft) or []
    return {
        "form": open_review_form(draft),
        "site": site,
        "settings": [(_SETTINGS[name], value) for name, value in site.api_config.items()],
        "panels": panels,
        "problems": _find_problems(site, panels),
    }


def compose_site(draft: Draft) -> ImputationService:
    """The site as it will be saved; its steps before the review are complete. Raises `DecryptionError`."""
    site_form, access = open_site_form(draft), open_access_form(draft)
    site: ImputationService = site_form.instance
    site_form.is_valid()
    access.is_valid()
    site.id = draft.id
    site.api_type = read_api_type(draft)
    site.base_url = draft.finding.base_url if draft.finding else ""
    site.ca_pem = draft.typed["address"].get("ca_pem", [""])[0].strip() or None
    site.requires_auth = access.cleaned_data["requires_auth"]
    site.credential_shared = access.cleaned_data["credential_shared"]
    site.api_config = read_config(draft)
    site.set_credential(draft.reveal_credential() or "")
    return site


def _find_problems(site: ImputationService, panels: list[ReferencePanel]) -> list[str]:
    """What the model's own rules have against it: foreign text may be too long, or hold what cannot be stored.

    Nothing is asked of the database: the site and its panels are new to it, and a site may list hundreds.
    """
    found = []
    for thing in (site, *panels):
        try:
            thing.full_clean(exclude=["service"], validate_unique=False, validate_constraints=False)
        except ValidationError as error:
            found += [f"{thing}: {' '.join(error.messages)}"]
    listed = Counter(panel.panel_id for panel in panels)
    return found + [f"{id_}: The site lists this panel {times} times." for id_, times in listed.items() if times > 1]


def save_draft(draft: Draft) -> ImputationService:
    """The site with its panels, told to the registry as one document.

    Raises `SavedBeforeError`, and Django's `ValidationError` for what the model refuses.
    """
    site, panels = compose_site(draft), collect_panels(draft) or []
    review = open_review_form(draft)
    site.is_active = review.is_valid() and review.cleaned_data["is_active"]
    site._change_reason = BY_HAND  # type: ignore[attr-defined]
    with transaction.atomic():
        lock_subjects(site.subject)
        if ImputationService.objects.filter(pk=site.pk).exists():
            raise SavedBeforeError
        if problems := _find_problems(site, panels):
            raise ValidationError(problems[:_MOST_PROBLEMS])
        site.save(force_insert=True)
        for panel in panels:
            panel.service = site
            panel.save(force_insert=True)
    return site
