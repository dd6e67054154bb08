"""Making the registry's catalogue ours again: each site that differs is told anew, beyond every version known there."""

from dataclasses import dataclass
from typing import Literal

from django.db import transaction

from django_app.imputation.drift.comparison import Comparison
from django_app.imputation.drift.findings import Finding
from django_app.imputation.models import ImputationService, site_subject
from django_app.outbox.recording import record_change
from microservices.kernel.errors import ConflictError
from microservices.kernel.logs import get_logger

log = get_logger(__name__)


class EmptyCatalogueError(ConflictError):
    code, title = "catalogue_empty", "The catalogue is empty here"


@dataclass(frozen=True)
class Repair:
    """`action`: told again, its removal told, or nothing: only a person can mend it. `version`: as it was told."""

    finding: Finding
    action: Literal["sent", "removed", "left"]
    version: int | None


def repair_drift(comparison: Comparison, *, even_if_empty: bool) -> list[Repair]:
    """What was done about each finding. Deliveries follow; `find_drift` tells when they have arrived.

    Raises `EmptyCatalogueError` when all that the registry has would go, unless that is wanted.
    """
    drift = [finding for finding in comparison.findings if finding.is_drift]
    if drift and comparison.sites == 0 and not even_if_empty:
        raise EmptyCatalogueError(
            f"There is no site here, and {len(drift)} in the registry would be removed. "
            "If that is what you want, and this is the right database, say so with even_if_empty."
        )
    return [_repair(finding) for finding in drift]


def _repair(finding: Finding) -> Repair:
    if finding.kind == "unreadable":
        return Repair(finding, "left", finding.version)
    with transaction.atomic():
        version = record_change(site_subject(finding.service_id), beyond=finding.registry_version or 0)
        stays = ImputationService.objects.filter(pk=finding.service_id).exists()
    log.info("drift_repaired", service_id=str(finding.service_id), kind=finding.kind, version=version)
    return Repair(finding, "sent" if stays else "removed", version)
