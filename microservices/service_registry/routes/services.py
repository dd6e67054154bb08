"""Sites, for people."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from sqlalchemy.orm import Session

from microservices.kernel.auth import PEOPLE, Principal
from microservices.kernel.db import SessionDep
from microservices.kernel.errors import ForbiddenError
from microservices.kernel.pagination import Page
from microservices.service_registry.logic.catalogue import get_service
from microservices.service_registry.queries.catalogue import list_panels, list_services
from microservices.service_registry.queries.history import list_days, list_history
from microservices.service_registry.routes.answers import answer_from_cache, expire_catalogue
from microservices.service_registry.schemas import (
    CheckedHealth,
    CheckQuery,
    DayQuery,
    HealthDay,
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


@router.get("", response_model=Page[ServiceItem])
async def read_services(query: Annotated[ServiceQuery, Query()], request: Request) -> Response:
    return await answer_from_cache(request, "services", lambda session: list_services(session, query))


@router.get("/{service_id}", response_model=ServiceItem)
async def read_service(service_id: UUID, request: Request) -> Response:
    """Inactive sites too: finished jobs speak of them."""

    def read(session: Session) -> ServiceItem:
        return ServiceItem.model_validate(get_service(session, service_id))

    return await answer_from_cache(request, "services", read)


@router.get("/{service_id}/panels", response_model=Page[PanelItem])
async def read_service_panels(
    service_id: UUID, query: Annotated[SitePanelQuery, Query()], request: Request
) -> Response:
    def read(session: Session) -> Page[PanelItem]:
        get_service(session, service_id)
        return list_panels(session, PanelQuery(**query.model_dump(), service_id=service_id))

    return await answer_from_cache(request, "panels", read)


@router.get("/{service_id}/health")
def read_health_history(
    service_id: UUID, query: Annotated[HistoryQuery, Query()], session: SessionDep
) -> Page[HealthItem]:
    """Every check of the last 30 days; what was before is told by days."""
    get_service(session, service_id)
    return list_history(session, service_id, query)


@router.get("/{service_id}/health/days")
def read_health_days(service_id: UUID, query: Annotated[DayQuery, Query()], session: SessionDep) -> Page[HealthDay]:
    """Every day that is over, for as long as the site is known."""
    get_service(session, service_id)
    return list_days(session, service_id, query)


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
    checked: CheckedHealth = await request.app.state.checks.check(service_id, "force" if query.force else "person")
    if not checked.cached:
        await expire_catalogue(request)  # whoever has seen the new health does not meet the old one in a list
    return checked
