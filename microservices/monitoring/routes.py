"""`/api/v1/monitoring`, for operators."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from microservices.kernel.auth import Principal, people_with
from microservices.kernel.db import SessionDep
from microservices.monitoring.logic.overview import read_overview
from microservices.monitoring.logic.services import list_services
from microservices.monitoring.schemas import NoQuery, Overview, ServiceList
from microservices.monitoring.settings import Settings

Operator = Annotated[Principal, Depends(people_with("operator"))]
WithoutQuery = Annotated[NoQuery, Query()]

router = APIRouter(prefix="/api/v1/monitoring", tags=["monitoring"])


@router.get("/overview")
def show_overview(request: Request, caller: Operator, session: SessionDep, _query: WithoutQuery) -> Overview:
    state = request.app.state
    return read_overview(session, _watched(request), state.registry, caller.token)


@router.get("/services")
def show_services(request: Request, _caller: Operator, session: SessionDep, _query: WithoutQuery) -> ServiceList:
    items = list_services(session, _watched(request))
    return ServiceList(items=items, total=len(items))


def _watched(request: Request) -> list[str]:
    settings: Settings = request.app.state.settings
    return list(settings.list_services())
