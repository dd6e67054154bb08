"""What the public interface takes and gives. No field here can hold a credential."""

from datetime import UTC, date, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from microservices.contracts.curation import ApiType, Build
from microservices.contracts.registry import HealthStatus, SiteCapabilities
from microservices.kernel.pagination import ListQuery


def refuse_nul(text: str) -> str:
    """PostgreSQL has no NUL in texts."""
    if "\x00" in text:
        raise ValueError("must not contain NUL characters")
    return text


def to_utc(moment: datetime) -> datetime:
    """The database answers in its own time zone; the interface speaks UTC."""
    return moment.astimezone(UTC)


SearchText = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(refuse_nul)]
UtcTime = Annotated[datetime, AfterValidator(to_utc)]


class ServiceQuery(ListQuery):
    """`is_active`: sites in use (default), or those that are switched off."""

    api_type: ApiType | None = None
    country: SearchText | None = None
    is_available: bool | None = None
    is_active: bool = True
    q: SearchText | None = None


class SitePanelQuery(ListQuery):
    """`is_active`: panels that may be chosen (default), or those that may not (of their own or because of the site)."""

    build: Build | None = None
    population: SearchText | None = None
    is_active: bool = True
    q: SearchText | None = None


class PanelQuery(SitePanelQuery):
    service_id: UUID | None = None


class HistoryQuery(ListQuery):
    sort: str = "-checked_at"


class NoQuery(BaseModel):
    """Takes no parameters; a misspelt one is told instead of being ignored."""

    model_config = ConfigDict(extra="forbid")


class CheckQuery(BaseModel):
    """`force`: check even though a recent result is known (operators and curators)."""

    model_config = ConfigDict(extra="forbid")

    force: bool = False


class ProbeQuery(BaseModel):
    """`force=false`: a recent result will do, of 15 minutes of a healthy site and 10 seconds of any other."""

    model_config = ConfigDict(extra="forbid")

    force: bool = True


class ServiceHealth(BaseModel):
    """`error_message` says in words what is wrong; `response_time_ms` is of the last probe that was answered.

    `auto_deactivated_at`: switched off by 30 days of silence; it comes back when it has answered again for an hour.
    """

    model_config = ConfigDict(from_attributes=True)

    health_status: HealthStatus
    is_available: bool
    response_time_ms: float | None
    error_message: str | None
    last_health_check: UtcTime | None
    offline_since: UtcTime | None
    auto_deactivated_at: UtcTime | None


class ServiceItem(ServiceHealth):
    """A site. `is_active` is the effective one: neither a curator nor long silence has switched it off.

    `version` is that of its software, as the site tells it to everybody; `capabilities` None: it was never reached.
    """

    model_config = ConfigDict(from_attributes=True, populate_by_name=True)

    id: UUID
    name: str
    service_type: str
    api_type: ApiType
    base_url: str
    location: str
    country: str
    requires_auth: bool
    credential_shared: bool
    custom_ca: bool = Field(validation_alias="has_custom_ca")
    api_config: dict[str, Any] = Field(validation_alias="public_config")
    is_active: bool = Field(validation_alias="is_in_use")
    version: str | None
    capabilities: SiteCapabilities | None
    supported_formats: list[str]
    max_file_size_mb: int | None
    min_samples: int | None
    max_samples: int | None
    panels_count: int
    created_at: UtcTime
    updated_at: UtcTime


class PanelItem(BaseModel):
    """A panel. `is_active`: it and its site may be chosen for new runs."""

    model_config = ConfigDict(from_attributes=True, populate_by_name=True)

    id: UUID
    service_id: UUID
    service_name: str
    name: str
    panel_id: str
    populations: list[str]
    build: Build
    samples_count: int | None
    variants_count: int | None
    is_active: bool = Field(validation_alias="is_in_use")
    created_at: UtcTime
    updated_at: UtcTime


class HealthItem(BaseModel):
    """One probe of the past."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    checked_at: UtcTime
    health_status: HealthStatus
    is_available: bool
    response_time_ms: float | None
    message: str


class DayQuery(ListQuery):
    sort: str = "-day"


class HealthDay(BaseModel):
    """A day (UTC) of the past: how often the site was found how, and how it answered.

    `availability`: the share (0 to 1) of the watched time in which it was available; null when nobody looked.
    """

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    day: date
    checks: int
    healthy: int
    degraded: int
    unhealthy: int
    availability: float | None
    response_min_ms: float | None
    response_median_ms: float | None
    response_max_ms: float | None


class CheckedHealth(ServiceHealth):
    """`cached`: no new probe was made, since the known result is recent enough."""

    service_id: UUID
    cached: bool
