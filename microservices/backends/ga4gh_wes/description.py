"""What a WES server says of itself, for curators; panels are their recipes, so the site has no list of them.

All of it is foreign text: cleaned, and cut to a length and a number that people read.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from microservices.backends.description import EngineParameter, SiteDescription, WorkflowFacts
from microservices.backends.ga4gh_wes.answers import read_model
from microservices.backends.ga4gh_wes.catalogue import INFO_PATH, name_site
from microservices.backends.ga4gh_wes.client import WesClient
from microservices.backends.ga4gh_wes.dialect import list_capabilities, recognise
from microservices.backends.ga4gh_wes.wire import ServiceFacts
from microservices.backends.ga4gh_wes.words import clean_words

_MOST = 50
_LONGEST = 500
_NO_LIST = "WES has no list of panels: each panel is a recipe that a curator writes."


async def describe_site(client: WesClient) -> SiteDescription:
    """Raises `SiteError` for whatever is not a WES server's description of itself."""
    info = read_model(await client.call(INFO_PATH), ServiceFacts)
    dialect = recognise(info)
    types = info.workflow_type_versions.items()
    return SiteDescription(
        name=_clean(name_site(client, info))[:200],
        software=dialect.software,
        version=info.version,
        apps=tuple(f"{name} {version}".strip() for name, versions in types for version in versions or [""]),
        panels_note=_NO_LIST,
        capabilities=list_capabilities(dialect),
        counts=tuple(_read_counts(info.system_state_counts or {})),
        workflows=_collect_facts(info),
    )


def _collect_facts(info: ServiceFacts) -> WorkflowFacts:
    return WorkflowFacts(
        wes_versions=_cut(info.supported_wes_versions),
        types=_cut_table(info.workflow_type_versions),
        engines=_cut_table(info.workflow_engine_versions),
        protocols=_cut(info.supported_filesystem_protocols),
        parameters=tuple(_walk_parameters(info.default_workflow_engine_parameters))[:_MOST],
        tags=tuple((_clean(key), _clean(value)) for key, value in _first(info.tags or {}) if not _is_nested(value)),
        organization=_clean((info.organization or {}).get("name")),
        description=_clean(info.description),
        contact=_clean(info.contactUrl),
        documentation=_clean(info.documentationUrl),
        auth_instructions=_clean(info.auth_instructions_url),
    )


def _walk_parameters(value: Any) -> Iterator[EngineParameter]:
    """A list (the specification), or lists by engine (Sapporo)."""
    parts = value.values() if isinstance(value, dict) else [value]
    for entry in (entry for part in parts if isinstance(part, list) for entry in part):
        if isinstance(entry, dict) and isinstance(entry.get("name"), str):
            default = entry.get("default_value")
            told = None if default is None or _is_nested(default) else _clean(default)
            yield EngineParameter(_clean(entry["name"]), _clean(entry.get("type")), told)


def _read_counts(counts: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    for state, count in _first(counts):
        if isinstance(count, int) and not isinstance(count, bool):
            yield _clean(state), count


def _cut(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(_clean(value) for value in list(values)[:_MOST])


def _cut_table(table: Mapping[str, list[str]]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return tuple((_clean(name), _cut(versions)) for name, versions in _first(table))


def _first(table: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return list(table.items())[:_MOST]


def _is_nested(value: Any) -> bool:
    return isinstance(value, (dict, list))


def _clean(value: Any) -> str:
    return "" if value is None else clean_words(str(value))[:_LONGEST]
