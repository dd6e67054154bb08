"""`docs/openapi.json`: what a running gateway says of all services, in an order that stays the same."""

import json
from pathlib import Path

import httpx

from imputehub.frontend import FrontendError


def write_description(gateway_url: str, target: Path) -> bool:
    """True when the file changed. Raises `FrontendError` when the gateway, or a service behind it, does not answer."""
    try:
        answer = httpx.get(f"{gateway_url.rstrip('/')}/openapi.json", timeout=30).raise_for_status().json()
    except (httpx.HTTPError, json.JSONDecodeError) as error:
        raise FrontendError(
            f"No description from {gateway_url}: {error}. Start the platform first: imputehub up --detach"
        ) from error
    missing = answer["info"].pop("x-unavailable", [])
    if missing:
        raise FrontendError(f"These services do not answer, so the description would lack them: {', '.join(missing)}.")
    text = json.dumps(answer, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    if target.exists() and target.read_text(encoding="utf-8") == text:
        return False
    target.write_text(text, encoding="utf-8")
    return True
