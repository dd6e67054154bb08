"""In which fields two documents of a site differ, in words."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from microservices.contracts.curation import SiteDocument

_LONGEST = 60


def describe_differences(ours: SiteDocument, theirs: SiteDocument) -> list[str]:
    """But for credentials, which are not shown."""
    left, right = (document.model_dump(mode="json", exclude={"credential"}) for document in (ours, theirs))
    return list(_compare("", left, right))


def _compare(place: str, left: Mapping[str, Any], right: Mapping[str, Any]) -> Iterator[str]:
    for name in left:
        path = f"{place}{name}"
        if name == "panels":
            yield from _compare_panels(left[name], right[name])
        elif name == "api_config":
            yield from _compare(f"{path}.", left[name], right[name])
        elif left[name] != right[name]:
            yield f"{path}: {_shorten(left[name])} here, {_shorten(right[name])} in the registry"


def _compare_panels(left: list[dict[str, Any]], right: list[dict[str, Any]]) -> Iterator[str]:
    ours, theirs = ({panel["id"]: panel for panel in panels} for panels in (left, right))
    for key in ours.keys() - theirs.keys():
        yield f"panel {ours[key]['panel_id']}: missing in the registry"
    for key in theirs.keys() - ours.keys():
        yield f"panel {theirs[key]['panel_id']}: only in the registry"
    for key in ours.keys() & theirs.keys():
        yield from _compare(f"panel {ours[key]['panel_id']}: ", ours[key], theirs[key])


def _shorten(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
