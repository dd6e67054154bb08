"""What a run's log calls its outputs, whatever the engine's own form of it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

_MAX_DEPTH = 20


@dataclass(frozen=True)
class Output:
    """`place` is an address, or a path that means something at the site only; `size` in bytes where it is told."""

    name: str
    place: str = field(repr=False)
    size: int | None = None


def collect_outputs(outputs: Any) -> list[Output]:
    """Every file that is named: sapporo's list, CWL's and WDL's objects, the Starter Kit's and WESkit's tables."""
    found = {output.place: output for output in _walk(outputs, _MAX_DEPTH)}
    return list(found.values())


def _walk(value: Any, depth: int) -> Iterator[Output]:
    if isinstance(value, str) and value:
        yield Output(_name_place(value), value)
    elif isinstance(value, list) and depth:
        for part in value:
            yield from _walk(part, depth - 1)
    elif isinstance(value, dict) and depth:
        yield from _walk_object(value, depth - 1)


def _walk_object(value: dict[str, Any], depth: int) -> Iterator[Output]:
    place = next((value[key] for key in ("file_url", "location", "path") if isinstance(value.get(key), str)), None)
    if value.get("class") == "Directory":
        yield from _walk(value.get("listing"), depth)
    elif place and ("file_url" in value or value.get("class") == "File"):
        name = value.get("file_name") or value.get("basename")
        size = value.get("size")
        sure = size if isinstance(size, int) and not isinstance(size, bool) and size >= 0 else None
        yield Output(name if isinstance(name, str) and name else _name_place(place), place, sure)
        yield from _walk(value.get("secondaryFiles"), depth)
    elif _is_mirrored(value):
        for name, url in zip(value["filesystem"], value["S3"], strict=True):
            yield Output(str(name), str(url))
    else:
        for part in value.values():
            yield from _walk(part, depth)


def _is_mirrored(value: dict[str, Any]) -> bool:
    """WESkit with object storage: names and signed addresses in the same order."""
    names, urls = value.get("filesystem"), value.get("S3")
    return isinstance(names, list) and isinstance(urls, list) and len(names) == len(urls)


def _name_place(place: str) -> str:
    """The last part of an address or path."""
    try:
        path = urlsplit(place).path
    except ValueError:
        path = place
    return unquote(path.rstrip("/").rpartition("/")[2]) or place[:100]
