"""Which interface answers at an address, and what the site says of itself."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from asgiref.sync import async_to_sync
from django.utils import timezone
from yarl import URL

from django_app.imputation.connection import Examination, examine_site
from django_app.imputation.models import ApiKind
from django_app.imputation.wizard.drafts import Draft, Finding
from microservices.backends.base import SiteConnection
from microservices.contracts.curation import ApiConfig, ApiType

# Where WES stands by convention (WES 1.1, "base path"); offered where the bare host does not answer as one.
WES_PATH = "/ga4gh/wes/v1"
_MOST_PANELS = 1000


def find_site(draft: Draft, address: dict[str, Any]) -> Finding:
    """Ask every interface that the curator left open, all at once and without a credential."""
    connections = [_connect(draft, address, api_type, base_url) for api_type, base_url in list_candidates(address)]
    found = async_to_sync(_examine_all)(connections)
    answers = list(zip(connections, found, strict=True))
    known = next((pair for pair in answers if pair[1].probe.health != "unhealthy"), None)
    tried = [
        (f"{ApiKind(connection.api_type).label} at {connection.base_url}", examination.probe.message)
        for connection, examination in answers
    ]
    if known is None:
        chosen = address["api_type"] or None
        # The one that answered at all tells more than one that could not be reached.
        first = next((pair for pair in answers if pair[1].probe.response_time_ms is not None), answers[0])
        return _note(first[1], chosen, address["base_url"], tried)
    return _note(known[1], known[0].api_type, known[0].base_url, tried)


def ask_again(draft: Draft, address: dict[str, Any], config: dict[str, Any]) -> Finding:
    """The site that was found, asked as the account whose credential the draft holds; its verdict goes to the draft."""
    before = draft.finding
    if before is None or before.api_type is None:
        return find_site(draft, address)
    connection = _connect(draft, {**address, "config": config}, before.api_type, before.base_url)
    connection = replace(connection, credential=draft.reveal_credential())
    found = async_to_sync(examine_site)(connection, describe=True)
    draft.credential_check = found.credential if found.was_judged else None
    # A site that says nothing now has said something before, and panels were chosen by it.
    found = replace(found, description=found.description or before.description)
    return _note(found, before.api_type, before.base_url, before.tried)


def list_candidates(address: dict[str, Any]) -> list[tuple[ApiType, str]]:
    """Interfaces and addresses to ask, those as they were typed before what convention suggests."""
    base_url, chosen = address["base_url"], address["api_type"]
    candidates: list[tuple[ApiType, str]] = []
    if chosen != ApiKind.GA4GH:
        candidates.append(("michigan", base_url))
    if chosen != ApiKind.MICHIGAN:
        candidates.append(("ga4gh", base_url))
        if URL(base_url).path in ("", "/"):
            candidates.append(("ga4gh", base_url.rstrip("/") + WES_PATH))
    return candidates


def _connect(draft: Draft, address: dict[str, Any], api_type: ApiType, base_url: str) -> SiteConnection:
    settings = {"allow_private_network": address["allow_private_network"], **address.get("config", {})}
    config = ApiConfig.model_validate(settings)
    return SiteConnection(draft.id, api_type, base_url, ca_pem=address["ca_pem"] or None, api_config=config)


async def _examine_all(connections: Sequence[SiteConnection]) -> list[Examination]:
    return await asyncio.gather(*(examine_site(connection, describe=True) for connection in connections))


def _note(found: Examination, api_type: ApiType | None, base_url: str, tried: list[tuple[str, str]]) -> Finding:
    described = found.description
    if described is not None and described.panels is not None:
        described = replace(described, panels=described.panels[:_MOST_PANELS])
    return Finding(
        api_type=api_type,
        base_url=base_url,
        health=found.probe.health,
        response_time_ms=found.probe.response_time_ms,
        message=found.probe.message,
        advice=found.advice,
        code=found.probe.code,
        tls=found.tls,
        asked_at=timezone.now(),
        description=described,
        tried=tried,
    )
