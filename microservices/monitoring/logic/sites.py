"""External sites, from the registry's public list, read as the person who asks."""

from collections import Counter
from typing import Any

from pydantic import ValidationError

from microservices.kernel.errors import ServiceError
from microservices.kernel.service_tokens import PeerClient
from microservices.monitoring.schemas import SitesSummary, SiteStatus

_PAGES = 50


def summarise_sites(registry: PeerClient, token: str) -> SitesSummary:
    """The summary says so itself when the registry cannot be asked: the rest of an overview is still worth showing."""
    try:
        sites = [SiteStatus.model_validate(item) for item in _list_sites(registry, token)]
    except (ServiceError, ValidationError, LookupError, TypeError) as error:
        detail = error.detail if isinstance(error, ServiceError) else "service_registry answers something unexpected."
        return SitesSummary(total=None, available=None, by_health={}, items=[], error=detail)
    return SitesSummary(
        total=len(sites),
        available=sum(site.is_available for site in sites),
        by_health=dict(Counter(site.health_status for site in sites)),
        items=sites,
        error=None,
    )


def _list_sites(registry: PeerClient, token: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    cursor = None
    for _ in range(_PAGES):
        params = {"limit": 200, **({"cursor": cursor} if cursor else {})}
        page = registry.call("GET", "/api/v1/services", token=token, params=params)
        items += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    return items
