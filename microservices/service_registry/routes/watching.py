"""The sites' availability, for our other services."""

from fastapi import APIRouter, Depends, Request

from microservices.contracts.registry import SiteAvailability
from microservices.kernel.auth import services_with
from microservices.kernel.db import SessionDep
from microservices.service_registry.logic.history import measure_availability

router = APIRouter(prefix="/internal/sites", tags=["internal"])


@router.get("/availability", dependencies=[Depends(services_with("catalogue:read"))])
def read_availability(request: Request, session: SessionDep) -> list[SiteAvailability]:
    """Of all sites, switched off or not."""
    return measure_availability(session, request.app.state.now())
