"""Reference panels of all sites, for people."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from sqlalchemy.orm import Session

from microservices.kernel.auth import PEOPLE
from microservices.kernel.pagination import Page
from microservices.service_registry.errors import PanelNotFoundError
from microservices.service_registry.queries.catalogue import find_panel, list_panels
from microservices.service_registry.routes.answers import answer_from_cache
from microservices.service_registry.schemas import PanelItem, PanelQuery

router = APIRouter(prefix="/api/v1/panels", tags=["catalogue"], dependencies=[Depends(PEOPLE)])


@router.get("", response_model=Page[PanelItem])
async def read_panels(query: Annotated[PanelQuery, Query()], request: Request) -> Response:
    return await answer_from_cache(request, "panels", lambda session: list_panels(session, query))


@router.get("/{panel_id}", response_model=PanelItem)
async def read_panel(panel_id: UUID, request: Request) -> Response:
    """Inactive panels too: finished jobs speak of them."""

    def read(session: Session) -> PanelItem:
        panel = find_panel(session, panel_id)
        if panel is None:
            raise PanelNotFoundError
        return PanelItem.model_validate(panel)

    return await answer_from_cache(request, "panels", read)
