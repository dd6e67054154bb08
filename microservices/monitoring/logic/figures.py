"""The figures of the moment, for those who ask and for those who are told."""

from collections.abc import Iterable, Sequence
from typing import Literal

from sqlalchemy.orm import Session

from microservices.contracts.monitoring import PLATFORM_MEASURED
from microservices.contracts.notification import Figures
from microservices.kernel.db import Database, utc_now
from microservices.kernel.service_tokens import PeerClient
from microservices.monitoring.logic.incidents import list_incidents
from microservices.monitoring.logic.services import list_services
from microservices.monitoring.schemas import OutboxSummary, PlatformFigures, ServiceStatus


def read_figures(session: Session, names: Sequence[str]) -> PlatformFigures:
    services = list_services(session, names)
    up = sum(service.up for service in services)
    return PlatformFigures(
        status=_judge(services, up),
        services_up=up,
        services_total=len(services),
        services=services,
        outbox=_sum_outboxes(services),
        incidents=list_incidents(session, utc_now()),
        measured_at=max((service.checked_at for service in services if service.checked_at), default=None),
    )


def tell_figures(database: Database, names: Sequence[str], notification: PeerClient) -> None:
    """To those who are looking. Raises `ServiceError` when notification is away: the next ones are told again."""
    with database.transaction() as session:
        figures = read_figures(session, names)
    body = Figures(audience="operator", measured_at=utc_now(), data=figures.model_dump(mode="json"))
    notification.call("PUT", f"/internal/figures/{PLATFORM_MEASURED}", json=body.model_dump(mode="json"))


def _judge(services: Sequence[ServiceStatus], up: int) -> Literal["ok", "degraded", "unknown"]:
    if all(service.state == "unknown" for service in services):
        return "unknown"
    return "ok" if up == len(services) else "degraded"


def _sum_outboxes(services: Iterable[ServiceStatus]) -> OutboxSummary:
    waiting = [state for service in services for state in service.outbox if state.depth]
    oldest = max((state.oldest_age_s for state in waiting), default=0.0)
    return OutboxSummary(depth=sum(state.depth for state in waiting), oldest_age_s=oldest)
