"""Figures of the moment, from our other services."""

from fastapi import APIRouter, Depends, Response

from microservices.contracts.notification import Figures, FiguresType
from microservices.kernel.auth import services_with
from microservices.kernel.db import SessionDep
from microservices.notification.queries import put_figures

router = APIRouter(tags=["internal"], dependencies=[Depends(services_with("events:write"))])


@router.put("/internal/figures/{type}", status_code=204)
def take_figures(type: FiguresType, figures: Figures, session: SessionDep) -> Response:
    put_figures(session, type, figures)
    return Response(status_code=204)
