"""What a draft's steps have said so far, read from what was typed; each question asked of the site with it."""

from typing import Any

from django.http import QueryDict

from django_app.imputation.models import ApiKind, ImputationService
from django_app.imputation.wizard.drafts import Draft
from django_app.imputation.wizard.finding import ask_again
from django_app.imputation.wizard.forms import AccessForm, AddressForm, SiteForm

_MOST_DUPLICATES = 5


def read_address(draft: Draft) -> dict[str, Any] | None:
    """The address step's fields; None as long as they are not right."""
    form = AddressForm(draft.read_typed("address"))
    return form.cleaned_data if form.is_valid() else None


def open_site_form(draft: Draft) -> SiteForm:
    """With what the site told filled in, until the curator has sent the form."""
    asks = draft.finding is None or draft.finding.api_type is None or "api_type" in draft.typed.get("site", {})
    return SiteForm(draft.read_typed("site"), initial=_read_told(draft), ask_interface=asks)


def fill_gaps(draft: Draft) -> None:
    """Put what the site tells where the curator, who saw it silent, has left the form empty."""
    typed = draft.typed.get("site")
    if typed is not None:
        typed.pop("api_type", None)
        told = {name: [str(value)] for name, value in _read_told(draft).items() if value}
        typed.update({name: words for name, words in told.items() if not "".join(typed.get(name, []))})


def _read_told(draft: Draft) -> dict[str, Any]:
    described = draft.finding.description if draft.finding else None
    if described is None:
        return {}
    limits = described.limits
    return {
        "name": described.name,
        "min_samples": limits.min_samples,
        "max_samples": limits.max_samples,
        "max_file_size_mb": limits.max_file_size_mb,
    }


def open_access_form(draft: Draft, typed: QueryDict | None = None) -> AccessForm:
    api_type = read_api_type(draft)
    return AccessForm(
        typed or draft.read_typed("access"),
        api_type=api_type,
        has_credential=draft.sealed_credential is not None,
        initial={"requires_auth": api_type == ApiKind.MICHIGAN},
    )


def read_api_type(draft: Draft) -> str:
    """What answered, or what the curator says that it is; empty while nobody knows."""
    return (draft.finding.api_type if draft.finding else None) or ""


def read_config(draft: Draft) -> dict[str, Any]:
    """The site's `api_config`: what differs from the defaults."""
    address, access = read_address(draft) or {}, open_access_form(draft)
    settings = {
        "allow_private_network": address.get("allow_private_network") or None,
        "token_url": access.cleaned_data.get("token_url") if access.is_valid() else None,
        "app": draft.typed.get("panels", {}).get("app", [""])[0].strip() or None,
        "input_mode": draft.typed.get("panels", {}).get("input_mode", [""])[0] or None,
    }
    return {name: value for name, value in settings.items() if value}


def ask_site(draft: Draft) -> None:
    """Ask the site once more, with the credential that the draft holds."""
    address = read_address(draft)
    if address is not None:
        draft.finding = ask_again(draft, address, read_config(draft))


def find_duplicates(draft: Draft) -> list[ImputationService]:
    """Sites with the same address already, however its last slash is written."""
    if draft.finding is None:
        return []
    url = draft.finding.base_url.rstrip("/")
    known = ImputationService.objects.filter(base_url__iexact=url) | ImputationService.objects.filter(
        base_url__iexact=f"{url}/"
    )
    return list(known[:_MOST_DUPLICATES])
