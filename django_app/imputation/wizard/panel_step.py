"""The step in which panels are chosen from the site's list, or written as recipes where it has none."""

from typing import Any

from django import forms
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminSelectWidget

from django_app.imputation.models import ApiKind, ReferencePanel
from django_app.imputation.panel_diff import FROM_LIST, FROM_LIST_EDITED
from django_app.imputation.recipes import PLACEHOLDERS
from django_app.imputation.wizard.drafts import Draft, StepName
from django_app.imputation.wizard.entries import ask_site, read_api_type
from django_app.imputation.wizard.panel_forms import OfferForm, draft_recipe, lay_out, open_recipes

BY_HAND = "set-up"


class AdapterForm(forms.Form):
    """Settings of the adapter that belong to the panels: one of the two, by interface."""

    app = forms.ChoiceField(
        label="Application",
        required=False,
        widget=UnfoldAdminSelectWidget(),
        help_text="Of the site's applications, the one that imputes; its panels are listed below.",
    )
    input_mode = forms.ChoiceField(
        label="Input",
        required=False,
        choices=[
            ("", "As usual: sent along with the submission"),
            ("url", "Fetched by the site from a signed address"),
        ],
        widget=UnfoldAdminSelectWidget(),
    )

    def __init__(self, draft: Draft) -> None:
        described = draft.finding.description if draft.finding else None
        super().__init__(draft.read_typed("panels"), initial={"input_mode": _suggest_mode(draft)})
        apps = described.apps if described else ()
        if read_api_type(draft) == ApiKind.GA4GH or len(apps) < 2:
            del self.fields["app"]
        else:
            self.fields["app"].choices = [("", f"The first that it lists: {apps[0]}")] + [(app, app) for app in apps]  # type: ignore[attr-defined]
        if read_api_type(draft) != ApiKind.GA4GH:
            del self.fields["input_mode"]
        elif _suggest_mode(draft):
            self.fields["input_mode"].help_text = "This kind of server ignores files that are sent along."


def _suggest_mode(draft: Draft) -> str:
    described = draft.finding.description if draft.finding else None
    return "url" if described and described.capabilities.takes_files is False else ""


def open_offers(draft: Draft) -> list[OfferForm]:
    """A form for each panel that the site lists to the draft's account."""
    described = draft.finding.description if draft.finding else None
    typed = draft.read_typed("panels")
    return [OfferForm(offered, typed) for offered in (described.panels or () if described else ())]


def collect_panels(draft: Draft) -> list[ReferencePanel] | None:
    """The panels as they will be saved, without their site; None as long as a form is not right."""
    if read_api_type(draft) == ApiKind.GA4GH:
        return _collect_recipes(draft)
    offers = open_offers(draft)
    # One that was never sent is a panel that the site lists since the step was done: nobody has chosen it.
    sent = [offer for offer in offers if offer.is_bound]
    if not all(offer.is_valid() for offer in sent):
        return None
    taken = [offer for offer in sent if offer.is_taken]
    for offer in taken:
        offer.instance._change_reason = FROM_LIST if offer.is_as_told else FROM_LIST_EDITED  # type: ignore[attr-defined]
    return [offer.instance for offer in taken]


def _collect_recipes(draft: Draft) -> list[ReferencePanel] | None:
    recipes = _open_recipes(draft)
    if not recipes.is_valid():
        return None
    kept = [form.instance for form in recipes.forms if form not in recipes.deleted_forms]
    for panel in kept:
        panel._change_reason = BY_HAND
    return kept


def _list_placeholders() -> list[str]:
    return [f"{{{{{name}}}}}" for name in sorted(PLACEHOLDERS)]


def _open_recipes(draft: Draft) -> Any:
    return open_recipes(draft.finding.description if draft.finding else None, draft.read_typed("panels"))


class PanelsStep:
    name: StepName = "panels"
    title = "Panels"

    def show(self, draft: Draft) -> dict[str, Any]:
        context: dict[str, Any] = {"form": AdapterForm(draft)}
        if read_api_type(draft) == ApiKind.GA4GH:
            return {**context, "recipes": _open_recipes(draft), "placeholders": _list_placeholders()}
        offers = open_offers(draft)
        for offer in offers:
            if offer.is_bound:
                offer.is_valid()
        return {**context, "offers": offers}

    def is_complete(self, draft: Draft) -> bool:
        return draft.read_typed("panels") is not None and collect_panels(draft) is not None

    def accept(self, request: HttpRequest, draft: Draft) -> bool:
        if "_again" in request.POST:
            ask_site(draft)
            return False
        if "_add" in request.POST:
            self._add_recipe(draft)
            return False
        return collect_panels(draft) is not None

    def _add_recipe(self, draft: Draft) -> None:
        typed = draft.typed["panels"]
        try:
            count = min(max(int(typed["recipes-TOTAL_FORMS"][0]), 0), 99)
        except (KeyError, ValueError, IndexError):
            return
        described = draft.finding.description if draft.finding else None
        typed["recipes-TOTAL_FORMS"] = [str(count + 1)]
        typed[f"recipes-{count}-recipe"] = [lay_out(draft_recipe(described))]
