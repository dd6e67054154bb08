"""Which kind of WES server this is, told from its service-info, and what that means for a client."""

import re
from dataclasses import dataclass

from microservices.backends.base import SiteError
from microservices.backends.ga4gh_wes.wire import ServiceInfo

_NEWER = re.compile(r"1\.[1-9]|sapporo", re.IGNORECASE)


@dataclass(frozen=True)
class Dialect:
    """`takes_attachments`: files sent along are kept. `texts_only`: each value of the parameters must be text.

    `lists_all`: an unfinished run is in the list. `knows_engines`: the engine's fields (WES 1.1) are understood.
    """

    takes_attachments: bool = True
    texts_only: bool = False
    lists_all: bool = True
    knows_engines: bool = False


def recognise(info: ServiceInfo) -> Dialect:
    """No server names itself, but each shows (`workflow_type_versions` as plain lists: GA4GH Starter Kit; no `id` and
    the types NFL or SMK: WESkit). An unknown version, or none, means 1.0."""
    if info.plain_lists:
        return Dialect(takes_attachments=False, lists_all=False)
    is_weskit = info.id is None and bool({"NFL", "SMK"} & info.workflow_type_versions.keys())
    return Dialect(
        texts_only=is_weskit, knows_engines=any(_NEWER.match(version) for version in info.supported_wes_versions)
    )


def choose_type(info: ServiceInfo, wanted: str, version: str) -> str:
    """The server's own spelling of a workflow type; raises `SiteError` (permanent) where it does not run it.

    Some servers mind the case of types, others write their own differently than they take them.
    """
    spelling = next((name for name in info.workflow_type_versions if name.lower() == wanted.lower()), None)
    if spelling is None:
        raise _refuse(f"The site does not run workflows of type {wanted}, but {_join(info.workflow_type_versions)}.")
    versions = info.workflow_type_versions[spelling]
    if versions and version not in versions:
        raise _refuse(f"The site does not run {spelling} {version}, but {_join(versions)}.")
    return spelling


def _join(names: dict[str, list[str]] | list[str]) -> str:
    return ", ".join(list(names)[:20]) or "none"


def _refuse(message: str) -> SiteError:
    return SiteError(
        message,
        code="workflow_type_unknown",
        permanent=True,
        whose="platform",
        fix="A curator has to correct the panel's recipe.",
    )
