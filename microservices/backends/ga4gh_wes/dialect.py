"""Which kind of WES server this is, told from its service-info, and what that means for a client."""

import re
from dataclasses import dataclass, replace

from microservices.backends.base import SiteError
from microservices.backends.description import Capabilities
from microservices.backends.ga4gh_wes.wire import ServiceInfo

STARTER_KIT, WESKIT, SAPPORO, TOIL, WES_SERVICE = "GA4GH Starter Kit", "WESkit", "Sapporo", "Toil", "wes-service"
# WESkit shows a run's tags only after its end. Toil and wes-service name results by paths on their own disk.
_KNOWN = {
    STARTER_KIT: Capabilities(finds_by_mark=False, cancels=False, hands_out_results=False),
    WESKIT: Capabilities(finds_by_mark=False, cancels=False),
    SAPPORO: Capabilities(
        finds_by_mark=True, cancels=True, hands_out_results=True, resumes_downloads=True, deletes=True
    ),
    TOIL: Capabilities(finds_by_mark=True, cancels=True, hands_out_results=False),
    WES_SERVICE: Capabilities(cancels=False, hands_out_results=False),
}
_NEWER = re.compile(r"1\.[1-9]|sapporo", re.IGNORECASE)


@dataclass(frozen=True)
class Dialect:
    """`takes_attachments`: files sent along are kept. `texts_only`: each value of the parameters must be text.

    `lists_all`: an unfinished run is in the list. `knows_engines`: the engine's fields (WES 1.1) are understood.
    """

    software: str = "WES"

    takes_attachments: bool = True
    texts_only: bool = False
    lists_all: bool = True
    knows_engines: bool = False


def recognise(info: ServiceInfo) -> Dialect:
    """No server names itself, but each shows (`workflow_type_versions` as plain lists: GA4GH Starter Kit; no `id` and
    the types NFL or SMK: WESkit). An unknown version, or none, means 1.0."""
    if info.plain_lists:
        return Dialect(STARTER_KIT, takes_attachments=False, lists_all=False)
    software = _name_software(info)
    return Dialect(
        software,
        texts_only=software == WESKIT,
        knows_engines=any(_NEWER.match(version) for version in info.supported_wes_versions),
    )


def _name_software(info: ServiceInfo) -> str:
    versions, engines = info.supported_wes_versions, info.workflow_engine_versions
    if info.id is None and {"NFL", "SMK"} & info.workflow_type_versions.keys():
        return WESKIT
    if any("sapporo" in version.lower() for version in versions):
        return SAPPORO
    if "toil" in {name.lower() for name in engines}:
        return TOIL
    return WES_SERVICE if info.id is None and any(version.startswith("0.") for version in versions) else "WES"


def list_capabilities(dialect: Dialect) -> Capabilities:
    """As seen on running servers of each kind; what the specification promises for the others.

    The specification has no restart of a run, and no deletion: that is Sapporo's own.
    """
    known = _KNOWN.get(dialect.software, Capabilities(finds_by_mark=dialect.knows_engines or None))
    deletes = known.deletes is True
    return replace(known, lists_panels=False, takes_files=dialect.takes_attachments, restarts=False, deletes=deletes)


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
