"""What service_registry answers to our other services, and the events that it sends."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel

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
