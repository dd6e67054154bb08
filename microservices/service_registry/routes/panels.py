"""Reference panels of all sites, for people."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from microservices.kernel.auth import PEOPLE
from microservices.kernel.db import SessionDep
from microservices.kernel.pagination import Page
from microservices.service_registry.errors import PanelNotFoundError
from microservices.service_registry.queries.catalogue import find_panel, list_panels
from microservices.service_registry.schemas import PanelItem, PanelQuery

router = APIRouter(prefix="/api/v1/panels", tags=["catalogue"], dependencies=[Depends(PEOPLE)])


@router.get("")
def read_panels(query: Annotated[PanelQuery, Query()], session: SessionDep) -> Page[PanelItem]:
    return list_panels(session, query)


@router.get("/{panel_id}")
def read_panel(panel_id: UUID, session: SessionDep) -> PanelItem:
    """Inactive panels too: finished jobs speak of them."""
    panel = find_panel(session, panel_id)
    if panel is None:
        raise PanelNotFoundError
    return PanelItem.model_validate(panel)
