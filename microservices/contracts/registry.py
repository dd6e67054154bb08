"""What service_registry answers to our other services, and the events that it sends."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from microservices.contracts.curation import SiteDocument

HealthStatus = Literal["healthy", "degraded", "unhealthy", "unknown"]

SERVICE_HEALTH_CHANGED = "service.health_changed"


class SiteRecord(BaseModel):
    """`GET /internal/sites/{id}`: what is needed to use a site. `site.credential` is always empty here.

    `is_available`: the last probe found it usable; a run for an unavailable site is held, not refused.
    """

    site: SiteDocument
    is_available: bool
    health_status: HealthStatus
    has_credential: bool


class SiteHealth(BaseModel):
    """`GET /internal/sites` (all of them, switched off or not), and `POST /internal/sites/{id}/probe` (a new probe).

    `response_time_ms` is of the last probe that was answered; `error_message` says in words what is wrong.
    """

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    health_status: HealthStatus
    is_available: bool
    response_time_ms: float | None
    error_message: str | None
    last_health_check: datetime | None


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
    """Data of `service.health_changed`, subject `site/<id>`."""

    service_id: UUID
    name: str
    health_status: HealthStatus
    previous: HealthStatus
    message: str
    checked_at: datetime
