"""A site's own list of panels against ours: asked for, and exactly the differences that were shown applied.

Panels that the list no longer has are marked, not deleted: jobs refer to them, and a list is what one account may see.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from django_app.imputation.connection import describe_connection
from django_app.imputation.models import ApiKind, Build, ImputationService, ReferencePanel
from django_app.imputation.panel_diff import SYNCED, PanelDiff, PanelDifference, clean_populations, compare_panels
from django_app.outbox.recording import lock_subjects
from microservices.backends.base import SiteError, SiteUnavailableError
from microservices.backends.description import OfferedPanel
from microservices.backends.registry import open_backend
from microservices.backends.session import open_site_session

_WAIT_S = 25.0
_AT_ONCE = 50


class DiffChangedError(Exception):
    """The site's list, or ours, is no longer what was shown; `diff` is what differs now."""

    def __init__(self, diff: PanelDiff) -> None:
        super().__init__("The panels have changed since the differences were shown.")
        self.diff = diff


async def ask_panels(service: ImputationService) -> tuple[OfferedPanel, ...]:
    """The site's list as its stored credential sees it. Raises `SiteError`; pydantic's `ValidationError` and
    `DecryptionError` for a site that is not stored as it should be."""
    if service.api_type == ApiKind.GA4GH:
        raise SiteError(
            "WES sites offer no list of panels: each panel is a recipe that a curator writes.",
            code="no_panel_list",
            permanent=True,
            whose="platform",
            fix="Add the panel with its recipe on the site's page.",
        )
    connection = describe_connection(service)
    try:
        async with asyncio.timeout(_WAIT_S), open_site_session(connection) as http:
            described = await open_backend(connection, http).describe()
    except TimeoutError:
        raise SiteUnavailableError(f"The site did not answer within {_WAIT_S:.0f} s.", code="timeout") from None
    if described.panels is None:
        fix = "" if described.maintenance else "Store a credential for this site, or check api_config.app."
        code = "maintenance" if described.maintenance else "panels_not_told"
        raise SiteError(
            described.panels_note, code=code, whose="site" if described.maintenance else "platform", fix=fix
        )
    return described.panels


async def ask_many(services: Sequence[ImputationService]) -> list[tuple[OfferedPanel, ...] | Exception]:
    """Of each its list, or why there is none; some at a time."""
    free = asyncio.Semaphore(_AT_ONCE)

    async def ask_in_turn(service: ImputationService) -> tuple[OfferedPanel, ...]:
        async with free:
            return await ask_panels(service)

    return await asyncio.gather(*(ask_in_turn(service) for service in services), return_exceptions=True)  # type: ignore[return-value]


def apply_panels(
    service: ImputationService,
    offered: Sequence[OfferedPanel],
    *,
    shown: str | None = None,
    accepted: Collection[str] | None = None,
    builds: Mapping[str, str] | None = None,
) -> tuple[PanelDiff, list[str]]:
    """Apply the accepted differences (those proposed where None) in one transaction; the diff, and the applied keys.

    Raises `DiffChangedError` where the differences are not those with the fingerprint `shown`, and Django's
    `ValidationError` for a value of the site's that cannot be stored. `builds` by panel id: for those not told.
    """
    with transaction.atomic():
        lock_subjects(service.subject)
        diff = compare_panels(service, offered)
        if shown is not None and shown != diff.fingerprint:
            raise DiffChangedError(diff)
        wanted = diff.list_proposed() if accepted is None else set(accepted)
        theirs = {panel.panel_id: panel for panel in offered}
        applied: list[str] = []
        for difference in diff.differences:
            applied += _apply(service, difference, theirs.get(difference.panel_id), wanted, builds or {})
    return diff, applied


def _apply(
    service: ImputationService,
    difference: PanelDifference,
    offered: OfferedPanel | None,
    wanted: set[str],
    builds: Mapping[str, str],
) -> list[str]:
    if difference.kind == "added":
        return _add(service, difference, builds) if difference.key in wanted else []
    panel = service.panels.get(panel_id=difference.panel_id)
    applied = [field.key for field in difference.fields if field.key in wanted]
    for field in difference.fields:
        if field.key in wanted and offered is not None:
            value: Any = list(clean_populations(offered)) if field.field == "populations" else field.theirs
            setattr(panel, field.field, value)
    if difference.kind in ("withdrawn", "returned") and difference.key in wanted:
        panel.withdrawn_at = timezone.now() if difference.kind == "withdrawn" else None
        applied.append(difference.key)
    if applied:
        _save(panel)
    return applied


def _add(service: ImputationService, difference: PanelDifference, builds: Mapping[str, str]) -> list[str]:
    build = difference.build or builds.get(difference.panel_id, "")
    if build not in Build.values:
        return []
    panel = ReferencePanel(
        service=service,
        panel_id=difference.panel_id,
        name=difference.name[:200],
        populations=list(difference.populations),
        build=build,
    )
    _save(panel)
    return [difference.key]


def _save(panel: ReferencePanel) -> None:
    try:
        panel.full_clean()
    except ValidationError as error:
        raise ValidationError(f"{panel.panel_id[:200]}: {' '.join(error.messages)}") from error
    panel._change_reason = SYNCED  # type: ignore[attr-defined]
    panel.save()
