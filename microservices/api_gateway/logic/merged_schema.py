"""One OpenAPI document of all services: their public paths, and components that keep apart what only shares a name."""

import asyncio
import copy
import time
from collections.abc import Iterator, Mapping
from typing import Any

import aiohttp

from microservices.api_gateway.logic.upstreams import Upstream, is_let_in
from microservices.kernel.logs import get_logger

Schema = dict[str, Any]

_FRESH_S = 60
_FRESH_INCOMPLETE_S = 5
_TIMEOUT = aiohttp.ClientTimeout(total=3)
_METHODS = frozenset({"get", "put", "post", "delete", "options", "head", "patch"})
_OWN_PREFIX = "#/components/"
_BEARER = {"type": "http", "scheme": "bearer"}
# What our services really answer where their framework announces a 422.
_INVALID = {"description": "The request is not valid", "content": {"application/problem+json": {}}}

log = get_logger(__name__)


class MergedSchema:
    """The document of all services, made again when it is a minute old, or sooner while one of them is missing."""

    def __init__(self, title: str, version: str, upstreams: Mapping[str, Upstream]) -> None:
        self._info = {"title": title, "version": version}
        self._upstreams = upstreams
        self._document: Schema = {}
        self._fresh_until = 0.0
        self._lock = asyncio.Lock()

    async def get(self, session: aiohttp.ClientSession) -> Schema:
        async with self._lock:
            if time.monotonic() >= self._fresh_until:
                schemas = await _fetch_all(session, self._upstreams)
                self._document = merge_schemas(self._info, schemas)
                missing = None in schemas.values()
                self._fresh_until = time.monotonic() + (_FRESH_INCOMPLETE_S if missing else _FRESH_S)
            return self._document


async def _fetch_all(session: aiohttp.ClientSession, upstreams: Mapping[str, Upstream]) -> dict[str, Schema | None]:
    found = await asyncio.gather(*(_fetch(session, upstream) for upstream in upstreams.values()))
    return dict(zip(upstreams, found, strict=True))


async def _fetch(session: aiohttp.ClientSession, upstream: Upstream) -> Schema | None:
    try:
        async with session.get(f"{upstream.base_url}/openapi.json", timeout=_TIMEOUT) as answer:
            answer.raise_for_status()
            schema = await answer.json(content_type=None)
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        log.warning("schema_not_fetched", upstream=upstream.name, error=repr(error)[:300])
        return None
    return schema if isinstance(schema, dict) and isinstance(schema.get("paths"), dict) else None


def merge_schemas(info: Mapping[str, str], schemas: Mapping[str, Schema | None]) -> Schema:
    """`schemas`: service → its document, None when it did not answer; those are named in `info`."""
    present = {name: copy.deepcopy(schema) for name, schema in schemas.items() if schema is not None}
    _keep_public(present)
    clashing = find_clashes(present)
    merged: Schema = {"openapi": "3.1.0", "info": _describe(info, schemas), "paths": {}}
    merged |= {"components": {"securitySchemes": {"bearer": _BEARER}}, "security": [{"bearer": []}, {}]}
    for name, schema in present.items():
        _rename_components(schema, {key: f"{name}.{key[1]}" for key in clashing})
        for path, item in schema["paths"].items():
            merged["paths"].setdefault(path, {}).update(_label_operations(name, item))
        for section, components in (schema.get("components") or {}).items():
            merged["components"].setdefault(section, {}).update(components)
    return merged


def _describe(info: Mapping[str, str], schemas: Mapping[str, Schema | None]) -> Schema:
    missing = sorted(name for name, schema in schemas.items() if schema is None)
    note = f" These services do not answer at the moment and are left out: {', '.join(missing)}." if missing else ""
    return {**info, "description": "All services, as the gateway serves them." + note, "x-unavailable": missing}


def _keep_public(schemas: Mapping[str, Schema]) -> None:
    """Paths that are let in, and of the components only those that they refer to."""
    for schema in schemas.values():
        schema["paths"] = {path: item for path, item in schema["paths"].items() if is_let_in(path)}
        for item in schema["paths"].values():
            _correct_refusals(item)
        components = dict(_list_components(schema))
        needed = set(_list_refs(schema["paths"]))
        while more := {ref for key in needed & components.keys() for ref in _list_refs(components[key])} - needed:
            needed |= more
        schema["components"] = {}
        for section, name in sorted(needed & components.keys()):
            schema["components"].setdefault(section, {})[name] = components[section, name]


def _correct_refusals(item: Schema) -> None:
    for method, operation in item.items():
        if method in _METHODS and operation.get("responses", {}).pop("422", None):
            operation["responses"]["400"] = _INVALID


def _label_operations(service: str, item: Schema) -> Schema:
    """Operation ids are unique only within a service; the tag groups what belongs together."""
    for method, operation in item.items():
        if method in _METHODS:
            operation["tags"] = [service]
            if "operationId" in operation:
                operation["operationId"] = f"{service}_{operation['operationId']}"
    return item


def find_clashes(schemas: Mapping[str, Schema]) -> set[tuple[str, str]]:
    """(section, name) of components that mean different things in different services, by themselves or by what they
    refer to."""
    versions: dict[tuple[str, str], list[Any]] = {}
    for schema in schemas.values():
        for key, component in _list_components(schema):
            versions.setdefault(key, []).append(component)
    clashing = {key for key, found in versions.items() if any(other != found[0] for other in found[1:])}
    shared = {key: found[0] for key, found in versions.items() if len(found) > 1}
    while more := {key for key, found in shared.items() if key not in clashing and clashing & set(_list_refs(found))}:
        clashing |= more
    return clashing


def _list_components(schema: Schema) -> Iterator[tuple[tuple[str, str], Any]]:
    for section, components in (schema.get("components") or {}).items():
        for name, component in components.items():
            yield (section, name), component


def _list_refs(node: Any) -> Iterator[tuple[str, str]]:
    for holder, key in _find_ref_holders(node):
        section, _, name = holder[key].removeprefix(_OWN_PREFIX).partition("/")
        yield section, name


def _find_ref_holders(node: Any) -> Iterator[tuple[Any, Any]]:
    """(holder, key) of every value that points at a component: `$ref`, and a discriminator's mapping."""
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in children:
        if isinstance(value, str) and value.startswith(_OWN_PREFIX):
            yield node, key
        else:
            yield from _find_ref_holders(value)


def _rename_components(schema: Schema, names: Mapping[tuple[str, str], str]) -> None:
    for holder, key in list(_find_ref_holders(schema)):
        section, _, name = holder[key].removeprefix(_OWN_PREFIX).partition("/")
        if (section, name) in names:
            holder[key] = f"{_OWN_PREFIX}{section}/{names[section, name]}"
    for section, components in (schema.get("components") or {}).items():
        schema["components"][section] = {names.get((section, name), name): part for name, part in components.items()}
