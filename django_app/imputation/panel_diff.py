"""What differs between a site's own list of panels and ours, and which of it may be taken over unasked.

What a curator has changed on purpose is never overwritten silently; the history tells who wrote a value last.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Literal
from uuid import UUID

from django_app.imputation.models import ImputationService, ReferencePanel
from microservices.backends.description import OfferedPanel

# Reasons in the history of a panel whose values are the site's own words.
SYNCED, FROM_LIST, FROM_LIST_EDITED = "panel sync", "set-up: from the site's list", "set-up: edited"
_TOLD_BY_SITE = {SYNCED, FROM_LIST}

Kind = Literal["added", "changed", "withdrawn", "returned"]


@dataclass(frozen=True)
class FieldDifference:
    """`curated`: a curator wrote our value; `author` says who and when."""

    key: str
    field: str
    ours: str
    theirs: str
    curated: bool
    author: str


@dataclass(frozen=True)
class PanelDifference:
    """`key` names the difference; `proposed`: it is applied unless somebody decides otherwise."""

    key: str
    kind: Kind
    panel_id: str
    name: str
    build: str
    populations: tuple[str, ...]
    proposed: bool
    fields: tuple[FieldDifference, ...] = ()


@dataclass(frozen=True)
class PanelDiff:
    service_id: UUID
    differences: tuple[PanelDifference, ...]
    unchanged: int

    @cached_property
    def fingerprint(self) -> str:
        """The same for the same differences between the same values."""
        facts = [asdict(difference) for difference in self.differences]
        return hashlib.sha256(json.dumps([str(self.service_id), facts], sort_keys=True).encode()).hexdigest()

    def list_proposed(self) -> set[str]:
        """The keys that are applied where nobody decides: nothing that a curator wrote is overwritten."""
        panels = {difference.key for difference in self.differences if difference.proposed}
        fields = (field for difference in self.differences for field in difference.fields)
        return panels | {field.key for field in fields if not field.curated}


def compare_panels(service: ImputationService, offered: Sequence[OfferedPanel]) -> PanelDiff:
    ours = {panel.panel_id: panel for panel in service.panels.order_by("panel_id")}
    theirs = {panel.panel_id: panel for panel in offered}
    found = [_describe_new(service, theirs[key]) for key in sorted(set(theirs) - set(ours))]
    unchanged = 0
    for panel_id, panel in ours.items():
        difference = _compare(panel, theirs.get(panel_id))
        if difference is None:
            unchanged += 1
        else:
            found.append(difference)
    return PanelDiff(service.pk, tuple(found), unchanged)


def _describe_new(service: ImputationService, offered: OfferedPanel) -> PanelDifference:
    """A panel whose build the site does not tell waits for a curator who knows it."""
    key = f"{service.pk}/{offered.panel_id}/added"
    build = offered.build or ""
    populations = clean_populations(offered)
    return PanelDifference(key, "added", offered.panel_id, offered.name, build, populations, proposed=bool(build))


def _compare(panel: ReferencePanel, offered: OfferedPanel | None) -> PanelDifference | None:
    kind: Kind | None = None
    if offered is None:
        kind = None if panel.withdrawn_at else "withdrawn"
    elif panel.withdrawn_at:
        kind = "returned"
    fields = tuple(_compare_fields(panel, offered)) if offered else ()
    if kind is None and not fields:
        return None
    kind = kind or "changed"
    key = f"{panel.service_id}/{panel.panel_id}/{kind}"
    populations = tuple(panel.populations)
    return PanelDifference(key, kind, panel.panel_id, panel.name, panel.build, populations, True, fields)


def _compare_fields(panel: ReferencePanel, offered: OfferedPanel) -> list[FieldDifference]:
    """What the site does not tell is no difference; populations are compared as the sites do, without case."""
    found = []
    if offered.name and offered.name[:200] != panel.name:
        found.append(_describe_field(panel, "name", panel.name, offered.name[:200]))
    told = clean_populations(offered)
    if {name.casefold() for name in told} != {name.casefold() for name in panel.populations}:
        found.append(_describe_field(panel, "populations", ", ".join(panel.populations), ", ".join(told)))
    if offered.build and offered.build != panel.build:
        found.append(_describe_field(panel, "build", panel.build, offered.build))
    return found


def _describe_field(panel: ReferencePanel, name: str, ours: str, theirs: str) -> FieldDifference:
    key = f"{panel.service_id}/{panel.panel_id}/{name}"
    record = _find_origin(panel, name)
    if record is None:
        return FieldDifference(key, name, ours, theirs, True, "written before the history began")
    told = record.history_change_reason in _TOLD_BY_SITE
    # In a set-up only name and build can be edited; populations are always the site's.
    told = told or (name == "populations" and record.history_change_reason == FROM_LIST_EDITED)
    author = f"written by {record.history_user_id or 'the platform'} on {record.history_date:%Y-%m-%d}"
    return FieldDifference(key, name, ours, theirs, not told, "the site's own words" if told else author)


def _find_origin(panel: ReferencePanel, name: str) -> Any:
    """The record of the change that gave the field its present value."""
    history: Any = ReferencePanel.history
    origin = None
    for record in history.filter(id=panel.pk).order_by("-history_id"):
        if getattr(record, name) != getattr(panel, name):
            break
        origin = record
    return origin


def clean_populations(offered: OfferedPanel) -> tuple[str, ...]:
    """Each once, whatever its case; as long as the column takes them."""
    kept = {name.casefold(): name for name in reversed(offered.populations) if name.strip() and len(name) <= 64}
    return tuple(reversed(kept.values()))
