"""GA4GH Service Registry 1.0.0, read only: for anybody, as its aggregators have no account here.

`microservices.service_registry.logic.ga4gh` says what is told, and why there is no harm in it.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from microservices.kernel.auth import ANYONE
from microservices.service_registry.ga4gh_schemas import ExternalService, ExternalServices, Service, ServiceTypes
from microservices.service_registry.logic.ga4gh import (
    describe_registry,
    find_external_service,
    list_external_services,
    list_types,
)
from microservices.service_registry.routes.answers import answer_from_cache
from microservices.service_registry.schemas import NoQuery
from microservices.service_registry.settings import Settings


def take_no_query(_query: Annotated[NoQuery, Query()]) -> None:
    """Answers are kept by their addresses, of which anybody could otherwise make endlessly many."""


router = APIRouter(
    prefix="/ga4gh/service-registry/v1", tags=["ga4gh"], dependencies=[Depends(ANYONE), Depends(take_no_query)]
)


def shows_internal(request: Request) -> bool:
    settings: Settings = request.app.state.settings
    return settings.environment == "local"


@router.get("/services", response_model=ExternalServices)
async def list_services(request: Request) -> Response:
    internal = shows_internal(request)
    return await answer_from_cache(
        request, "services", lambda session: list_external_services(session, with_internal=internal)
    )


@router.get("/services/types", response_model=ServiceTypes)
async def list_service_types(request: Request) -> Response:
    internal = shows_internal(request)
    return await answer_from_cache(request, "services", lambda session: list_types(session, with_internal=internal))


@router.get("/services/{service_id}", response_model=ExternalService)
async def read_service(service_id: str, request: Request) -> Response:
    internal = shows_internal(request)
    return await answer_from_cache(
        request, "services", lambda session: find_external_service(session, service_id, with_internal=internal)
    )


@router.get("/service-info")
async def read_service_info(request: Request) -> Service:
    settings: Settings = request.app.state.settings
    return describe_registry(settings.public_url, settings.environment)
