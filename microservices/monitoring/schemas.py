"""What monitoring answers. Times are UTC, sizes in bytes, durations in seconds unless the name says otherwise."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, computed_field

UtcTime = Annotated[datetime, AfterValidator(lambda moment: moment.astimezone(UTC))]


class NoQuery(BaseModel):
    """Takes no parameters; a misspelt one is told instead of being ignored."""

    model_config = ConfigDict(extra="forbid")


class OutboxState(BaseModel):
    """Changes that have not reached `subscriber` yet, and how long the oldest has waited."""

    subscriber: str
    depth: int
    oldest_age_s: float


class ServiceStatus(BaseModel):
    """One of our services. `state` is `unknown` until its first probe; latencies and `error_rate` are of the last hour.

    `ready_since`: the first of an unbroken row of good probes; `started_at`: when its process began, by its own word;
    `error_rate`: the share of its answers that were 5xx, null when it answered nobody or does not tell.
    """

    name: str
    up: bool
    state: Literal["ready", "unready", "down", "unknown"]
    version: str | None
    latency_p50_ms: float | None
    latency_p95_ms: float | None
    error_rate: float | None
    memory_bytes: int | None
    started_at: UtcTime | None
    uptime_s: float | None
    ready_since: UtcTime | None
    checked_at: UtcTime | None
    error: str | None
    dependencies: dict[str, Any]
    outbox: list[OutboxState]


class ServiceList(BaseModel):
    items: list[ServiceStatus]
    next_cursor: None = None
    total: int


class SiteStatus(BaseModel):
    model_config = ConfigDict(extra="ignore")

    id: UUID
    name: str
    is_available: bool
    health_status: str
    response_time_ms: float | None = None
    error_message: str | None = None


class SitesSummary(BaseModel):
    """External sites as the registry knows them. `error` says why there is nothing to show."""

    total: int | None
    available: int | None
    by_health: dict[str, int]
    items: list[SiteStatus]
    error: str | None


class OutboxSummary(BaseModel):
    depth: int
    oldest_age_s: float


class IncidentView(BaseModel):
    """A time in which a service was not ready (`ended_at` is null while it still is not), or the moment of a new
    process (`restarted`) that came so fast that nobody saw the old one gone. Times are exact to about a second.
    """

    model_config = ConfigDict(from_attributes=True)

    service: str
    kind: Literal["unready", "down", "restarted"]
    began_at: UtcTime
    ended_at: UtcTime | None
    message: str

    @computed_field
    def duration_s(self) -> float | None:
        return None if self.ended_at is None else round((self.ended_at - self.began_at).total_seconds(), 1)


class PlatformFigures(BaseModel):
    """What was measured of our own services, and the incidents of the last 24 hours, the newest first.

    `status`: `ok` when all services are up, `degraded` when some are not, `unknown` before the first probes.
    """

    status: Literal["ok", "degraded", "unknown"]
    services_up: int
    services_total: int
    services: list[ServiceStatus]
    outbox: OutboxSummary
    incidents: list[IncidentView]
    measured_at: UtcTime | None


class Overview(PlatformFigures):
    """The same with the external sites."""

    sites: SitesSummary
