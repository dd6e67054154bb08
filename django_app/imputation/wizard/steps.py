"""The steps: what each one shows of a draft, and what it does with what was typed into it.

A step's forms are made anew from what was typed whenever they are needed, so there is one truth: the draft.
"""

from typing import Any, Protocol

from django.contrib import messages
from django.http import HttpRequest

from django_app.imputation.wizard.drafts import Draft, StepName
from django_app.imputation.wizard.entries import (
    ask_site,
    fill_gaps,
    find_duplicates,
    open_access_form,
    open_site_form,
    read_address,
)
from django_app.imputation.wizard.finding import find_site
from django_app.imputation.wizard.forms import AddressForm
from django_app.imputation.wizard.panel_step import PanelsStep
from django_app.imputation.wizard.saving import open_review_form, review_draft


class Step(Protocol):
    name: StepName
    title: str

    def show(self, draft: Draft) -> dict[str, Any]:
        """The template's context; forms that were sent before tell what was wrong with them."""
        ...

    def is_complete(self, draft: Draft) -> bool: ...

    def accept(self, request: HttpRequest, draft: Draft) -> bool:
        """Act on what was typed (the draft has it already); whether the curator may go on to the next step."""
        ...


class AddressStep:
    name: StepName = "address"
    title = "Address"

    def show(self, draft: Draft) -> dict[str, Any]:
        return {"form": AddressForm(draft.read_typed("address"))}

    def is_complete(self, draft: Draft) -> bool:
        return read_address(draft) is not None and draft.finding is not None

    def accept(self, request: HttpRequest, draft: Draft) -> bool:
        address = read_address(draft)
        if address is None:
            return False
        before = draft.finding
        draft.finding = find_site(draft, address)
        # A credential belongs to one site: it must not be sent to another one.
        if draft.sealed_credential and before is not None and before.base_url != draft.finding.base_url:
            draft.drop_credential()
            messages.warning(request, "The credential that you had entered was for the other address: enter it again.")
        fill_gaps(draft)
        if before is not None and before.api_type != draft.finding.api_type:
            draft.typed.pop("panels", None)
        return True


class SiteStep:
    name: StepName = "site"
    title = "What answered"

    def show(self, draft: Draft) -> dict[str, Any]:
        return {"form": open_site_form(draft), "duplicates": find_duplicates(draft)}

    def is_complete(self, draft: Draft) -> bool:
        named = draft.read_typed("site") is not None and open_site_form(draft).is_valid()
        return named and draft.finding is not None and draft.finding.api_type is not None

    def accept(self, request: HttpRequest, draft: Draft) -> bool:
        if "_again" in request.POST:
            ask_site(draft)
            fill_gaps(draft)
            return False
        form = open_site_form(draft)
        if not form.is_valid():
            return False
        if draft.finding is not None and "api_type" in form.cleaned_data:
            draft.finding.api_type = form.cleaned_data["api_type"]
        return True


class AccessStep:
    name: StepName = "access"
    title = "Access"

    def show(self, draft: Draft) -> dict[str, Any]:
        return {"form": open_access_form(draft), "has_credential": draft.sealed_credential is not None}

    def is_complete(self, draft: Draft) -> bool:
        return draft.read_typed("access") is not None and open_access_form(draft).is_valid()

    def accept(self, request: HttpRequest, draft: Draft) -> bool:
        typed = draft.read_typed("access")
        if typed is None:
            return False
        typed["new_credential"] = request.POST.get("new_credential", "")
        form = open_access_form(draft, typed)
        if not form.is_valid():
            return False
        if form.cleaned_data["new_credential"]:
            draft.seal_credential(form.cleaned_data["new_credential"])
        elif form.cleaned_data.get("clear_credential"):
            draft.drop_credential()
        draft.typed["access"].pop("clear_credential", None)
        return draft.sealed_credential is None or self._try_credential(draft)

    def _try_credential(self, draft: Draft) -> bool:
        """One that the site refuses is not kept; one that cannot be tried now is."""
        ask_site(draft)
        if draft.credential_check is None or draft.credential_check.valid:
            return True
        draft.sealed_credential = None
        draft.typed["access"].pop("credential_shared", None)
        return False


class ReviewStep:
    name: StepName = "review"
    title = "Review"

    def show(self, draft: Draft) -> dict[str, Any]:
        return {**review_draft(draft), "duplicates": find_duplicates(draft)}

    def is_complete(self, draft: Draft) -> bool:
        return draft.read_typed("review") is not None and open_review_form(draft).is_valid()

    def accept(self, request: HttpRequest, draft: Draft) -> bool:
        return self.is_complete(draft)


STEPS: tuple[Step, ...] = (AddressStep(), SiteStep(), AccessStep(), PanelsStep(), ReviewStep())
