"""The curator's part: the sandbox's sites and their panels enter the catalogue through Django, as any site would."""

import time
from typing import Any
from uuid import uuid4

from imputehub.client import Client, PlatformError

_DEADLINE_S = 60
# The sites run on this machine and answer at once: they may be asked often.
_QUICK = {"allow_private_network": True, "poll_first_s": 1, "health_interval_s": 30, "hold_retry_s": 2}
# The port of the discard service, which nobody has run for decades.
_NOBODY = "http://127.0.0.1:9/ga4gh/wes/v1"


def describe_cloudgene_site(url: str) -> dict[str, Any]:
    return _describe_site("Sandbox imputation server", "michigan", url, _QUICK)


def describe_mirror(url: str) -> dict[str, Any]:
    """The same server by the other name of this machine: a site of its own for the catalogue, its probes and jobs."""
    address = url.replace("127.0.0.1", "localhost")
    location = "this machine: the sandbox imputation server by another address"
    return _describe_site("Sandbox mirror", "michigan", address, _QUICK, location)


def describe_wes_site(url: str) -> dict[str, Any]:
    """A user name and a password become a token there, and inputs travel with the submission."""
    config = {**_QUICK, "token_url": f"{url}/token", "input_mode": "attachment"}
    return _describe_site("Sandbox workflow node", "ga4gh", url, config)


def describe_silent_site() -> dict[str, Any]:
    """What a site looks like that is down: nothing answers at its address."""
    location = "this machine: nothing answers at this address, to show what that looks like"
    return _describe_site("Sandbox node that is down", "ga4gh", _NOBODY, _QUICK, location, country="ML")


def _describe_site(
    name: str, api_type: str, url: str, config: dict[str, Any], location: str = "this machine", country: str = "ZA"
) -> dict[str, Any]:
    return {
        "name": name,
        "service_type": "imputation",
        "api_type": api_type,
        "base_url": url,
        "location": location,
        "country": country,
        "requires_auth": True,
        "api_config": config,
        "is_active": True,
        "min_samples": 20,
    }


def seed_site(curator: Client, site: dict[str, Any], panel: dict[str, Any]) -> tuple[str, str]:
    """(service, panel) ids in the curators' house; what is there already is brought up to date."""
    service_id = _save(curator, "services", ("name",), site)
    described = {"service": service_id, "build": "hg38", "is_active": True, **panel}
    return service_id, _save(curator, "panels", ("service", "panel_id"), described)


def _save(curator: Client, kind: str, key: tuple[str, ...], wish: dict[str, Any]) -> str:
    """Create the row, or change the one with the same key; its id."""
    for row in curator.list_all(f"/api/v1/curation/{kind}/"):
        if all(str(row[name]) == str(wish[name]) for name in key):
            if any(row.get(name) != value for name, value in wish.items()):
                curator.call("PATCH", f"/api/v1/curation/{kind}/{row['id']}/", json=wish)
            return str(row["id"])
    headers = {"Idempotency-Key": uuid4().hex}
    return str(curator.call("POST", f"/api/v1/curation/{kind}/", json=wish, headers=headers)["id"])


def wait_until_healthy(client: Client, service_id: str, panel_id: str) -> dict[str, Any]:
    """The site as the registry shows it, once its probe has found it usable. Raises `PlatformError` after a minute."""
    return _wait_for_site(client, service_id, panel_id, {"healthy"})


def wait_until_probed(client: Client, service_id: str, panel_id: str) -> dict[str, Any]:
    """The same whatever the probe has found."""
    return _wait_for_site(client, service_id, panel_id, {"healthy", "degraded", "unhealthy"})


def _wait_for_site(client: Client, service_id: str, panel_id: str, wanted: set[str]) -> dict[str, Any]:
    """Curation has to arrive at the registry, and the first probe there to end."""
    end = time.monotonic() + _DEADLINE_S
    last = "it has not reached the registry"
    while time.monotonic() < end:
        found = [service for service in client.list_services() if service["id"] == service_id]
        panels = [panel["id"] for panel in client.list_panels(service_id)] if found else []
        if found and found[0]["health_status"] in wanted and panel_id in panels:
            return found[0]
        if found:
            last = f"it is {found[0]['health_status']}: {found[0]['error_message'] or 'not probed yet'}"
        time.sleep(0.3)
    raise PlatformError(f"The site is not usable after {_DEADLINE_S} s: {last}.")
