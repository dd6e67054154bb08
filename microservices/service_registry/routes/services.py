"""Sites, for people."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request

from microservices.kernel.auth import PEOPLE, Principal
from microservices.kernel.db import SessionDep
from microservices.kernel.errors import ForbiddenError
from microservices.kernel.pagination import Page
from microservices.service_registry.logic.catalogue import get_service
from microservices.service_registry.logic.checks import check_health
from microservices.service_registry.queries.catalogue import list_history, list_panels, list_services
from microservices.service_registry.schemas import (
    CheckedHealth,
    CheckQuery,
    HealthItem,
    HistoryQuery,
    PanelItem,
    PanelQuery,
    ServiceItem,
    ServiceQuery,
    SitePanelQuery,
)

MAY_FORCE = {"operator", "curator", "admin"}

router = APIRouter(prefix="/api/v1/services", tags=["catalogue"], dependencies=[Depends(PEOPLE)])


@router.get("")
def read_services(query: Annotated[ServiceQuery, Query()], session: SessionDep) -> Page[ServiceItem]:
    return list_services(session, query)


@router.get("/{service_id}")
def read_service(service_id: UUID, session: SessionDep) -> ServiceItem:
    """Inactive sites too: finished jobs speak of them."""
    return ServiceItem.model_validate(get_service(session, service_id))


@router.get("/{service_id}/panels")
def read_service_panels(
    service_id: UUID, query: Annotated[SitePanelQuery, Query()], session: SessionDep
) -> Page[PanelItem]:
    get_service(session, service_id)
    return list_panels(session, PanelQuery(**query.model_dump(), service_id=service_id))


@router.get("/{service_id}/health")
def read_health_history(
    service_id: UUID, query: Annotated[HistoryQuery, Query()], session: SessionDep
) -> Page[HealthItem]:
    get_service(session, service_id)
    return list_history(session, service_id, query)


@router.post("/{service_id}/health")
async def check_service_health(
    service_id: UUID,
    query: Annotated[CheckQuery, Query()],
    request: Request,
    caller: Annotated[Principal, Depends(PEOPLE)],
) -> CheckedHealth:
    """A new probe, unless the last result is recent: 15 minutes of a healthy site, 1 minute of any other."""
    if query.force and not caller.roles & MAY_FORCE:
        raise ForbiddenError("force=true is for operators and curators. Leave it out: a recent result is given.")
    state = request.app.state
    return await check_health(state.database, state.checked, service_id, force=query.force)
