"""Sites, panels and templates as people name them."""

from typing import Any

from imputehub.client import Client, PlatformError


def find_target(client: Client, text: str) -> dict[str, str]:
    """`site/panel` as ids. Raises `PlatformError` with the choices when one is not known."""
    site_text, _, panel_text = text.partition("/")
    site = pick(client.list_services(), site_text, "site")
    panel = pick(client.list_panels(site["id"]), panel_text, f"panel of '{site['name']}'")
    return {"service_id": site["id"], "panel_id": panel["id"]}


def find_targets(client: Client, targets: list[str], alternates: list[str]) -> list[dict[str, Any]]:
    """Each with the alternates; what is a target itself is nobody's alternate."""
    found = [find_target(client, text) for text in targets]
    others = [other for text in alternates if (other := find_target(client, text)) not in found]
    return [{**target, "alternates": others} for target in found]


def pick(choices: list[dict[str, Any]], text: str, what: str) -> dict[str, Any]:
    found = [item for item in choices if text in (item["id"], item["name"], item.get("panel_id"))]
    if len(found) != 1:
        names = ", ".join(item["name"] for item in choices) or "none"
        raise PlatformError(f"'{text}' is not the name or id of one {what}. There are: {names}.")
    return found[0]
