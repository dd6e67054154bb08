"""All of it at one glance."""

from collections.abc import Iterable, Sequence
from typing import Literal

from sqlalchemy.orm import Session

from microservices.kernel.service_tokens import PeerClient
from microservices.monitoring.logic.services import list_services
from microservices.monitoring.logic.sites import summarise_sites
from microservices.monitoring.schemas import OutboxSummary, Overview, ServiceStatus


def read_overview(session: Session, names: Sequence[str], registry: PeerClient, token: str) -> Overview:
    services = list_services(session, names)
    up = sum(service.up for service in services)
    return Overview(
        status=_judge(services, up),
        services_up=up,
        services_total=len(services),
        services=services,
        outbox=_sum_outboxes(services),
        sites=summarise_sites(registry, token),
    )


def _judge(services: Sequence[ServiceStatus], up: int) -> Literal["ok", "degraded", "unknown"]:
    if all(service.state == "unknown" for service in services):
        return "unknown"
    return "ok" if up == len(services) else "degraded"


def _sum_outboxes(services: Iterable[ServiceStatus]) -> OutboxSummary:
    waiting = [state for service in services for state in service.outbox if state.depth]
    oldest = max((state.oldest_age_s for state in waiting), default=0.0)
    return OutboxSummary(depth=sum(state.depth for state in waiting), oldest_age_s=oldest)
