"""What service_registry answers to our other services, and the events that it sends."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from microservices.contracts.curation import SiteDocument

HealthStatus = Literal["healthy", "degraded", "unhealthy", "unknown"]
HealthStep = Literal["warned", "deactivated", "reactivated"]
"""Of a site that is offline for long: a warning, its switching off, and its return. Curators have to know."""

SERVICE_HEALTH_CHANGED = "service.health_changed"
SERVICE_CHANGED = "service.changed"


class SiteCapabilities(BaseModel):
    """What can be counted on at a site; None: it leaves that open.

    `lists_panels`: its catalogue can be read. `finds_by_mark`: a submission whose answer was lost is found again.
    `cancels`: a cancelled run really ends there. `hands_out_results`: without a disk in common. `resumes_downloads`:
    where they broke. `takes_files`: input travels with the submission; else the site fetches it. `restarts`: what the
    site gave up is begun anew there, as the same job. `deletes`: an ended job can be removed there.
    """

    lists_panels: bool | None
    finds_by_mark: bool | None
    cancels: bool | None
    hands_out_results: bool | None
    resumes_downloads: bool | None
    takes_files: bool | None
    restarts: bool | None = None
    deletes: bool | None = None


class SiteRecord(BaseModel):
    """`GET /internal/sites/{id}`: what is needed to use a site. `site.credential` is always empty here.

    `is_available`: the last probe found it usable; a run for an unavailable site is held, not refused.
    """

    site: SiteDocument
    is_available: bool
    health_status: HealthStatus
    has_credential: bool
    capabilities: SiteCapabilities | None = None


class SiteHealth(BaseModel):
    """`GET /internal/sites` (all of them, switched off or not), and `POST /internal/sites/{id}/probe` (a new probe).

    `response_time_ms` is of the last probe that was answered; `error_message` says in words what is wrong.
    `auto_deactivated_at`: long silence has switched the site off, whatever its curator set; it comes back by itself.
    """

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    health_status: HealthStatus
    is_available: bool
    response_time_ms: float | None
    error_message: str | None
    last_health_check: datetime | None
    offline_since: datetime | None = None
    auto_deactivated_at: datetime | None = None
    capabilities: SiteCapabilities | None = None


class SiteAvailability(BaseModel):
    """`GET /internal/sites/availability`: the share (0 to 1) of the watched time in which each site was available.

    Of the last 24 hours, 7 days and 30 days; None where nobody has looked in that time.
    """

    id: UUID
    name: str
    day: float | None
    week: float | None
    month: float | None


class CopyState(BaseModel):
    """`GET /internal/catalogue/copies?nonce=…`: every site that is here or that Django has told of.

    `version`: the newest that was told, None for a site of which nobody told. `fingerprint`: of the document as it is
    stored here (`fingerprint_document`); empty where that cannot be read, None where the site is not here.
    `GET /internal/catalogue/copies/{id}` shows the document itself, without its credential.
    """

    id: UUID
    version: int | None
    fingerprint: str | None


class CuratedCredentialRequest(BaseModel):
    """`POST /internal/sites/{id}/credential`: the curated credential of a site, for one run (audited)."""

    run_id: UUID


class HealthChanged(BaseModel):
    """Data of `service.health_changed`, subject `site/<id>`. With a `step`, curators are to be notified."""

    service_id: UUID
    name: str
    health_status: HealthStatus
    previous: HealthStatus
    message: str
    checked_at: datetime
    step: HealthStep | None = None


class ServiceChanged(BaseModel):
    """Data of `service.changed`, subject `site/<id>`: a site or its panels are not as they were, or are gone."""

    service_id: UUID
    name: str
    is_deleted: bool
