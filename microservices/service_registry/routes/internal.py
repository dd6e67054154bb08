"""Sites, for our other services."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request

from microservices.contracts.curation import SiteDocument
from microservices.contracts.registry import CopyState, CuratedCredentialRequest, SiteHealth, SiteRecord
from microservices.contracts.user_service import SiteCredential
from microservices.kernel.auth import Principal, services_with
from microservices.kernel.db import SessionDep
from microservices.service_registry.logic.catalogue import describe_site, hand_out_credential
from microservices.service_registry.logic.copies import list_copies, show_copy
from microservices.service_registry.queries.catalogue import list_sites
from microservices.service_registry.routes.answers import expire_catalogue
from microservices.service_registry.schemas import CheckedHealth, ProbeQuery

router = APIRouter(prefix="/internal", tags=["internal"])

# Fingerprints tell whether a guessed secret is right: they are for the owner of the catalogue alone.
_OWNER = Depends(services_with("catalogue:compare"))
Nonce = Annotated[str, Query(min_length=32, max_length=200, description="random, and new for each comparison")]


@router.get("/catalogue/copies", dependencies=[_OWNER])
def read_copies(nonce: Nonce, request: Request, session: SessionDep) -> list[CopyState]:
    """Versions and contents of all copies, for their owner to compare."""
    return list_copies(session, request.app.state.cipher, nonce)


@router.get("/catalogue/copies/{service_id}", dependencies=[_OWNER])
def read_copy(service_id: UUID, session: SessionDep) -> SiteDocument:
    return show_copy(session, service_id)


@router.get("/sites", dependencies=[Depends(services_with("catalogue:read"))])
def read_healths(session: SessionDep) -> list[SiteHealth]:
    """Of all sites at once, for lists that show them side by side."""
    return [SiteHealth.model_validate(site) for site in list_sites(session)]


@router.get("/sites/{service_id}", dependencies=[Depends(services_with("catalogue:read"))])
def read_site(service_id: UUID, session: SessionDep) -> SiteRecord:
    return describe_site(session, service_id)


@router.post("/sites/{service_id}/probe", dependencies=[Depends(services_with("catalogue:probe"))])
async def probe_site(service_id: UUID, query: Annotated[ProbeQuery, Query()], request: Request) -> SiteHealth:
    """A new probe, and one that is on its way already answers too."""
    checked: CheckedHealth = await request.app.state.checks.check(service_id, "force" if query.force else "system")
    if not checked.cached:
        await expire_catalogue(request)
    return SiteHealth.model_validate({"id": service_id, **checked.model_dump()})


@router.post("/sites/{service_id}/credential")
def read_credential(
    service_id: UUID,
    body: CuratedCredentialRequest,
    request: Request,
    session: SessionDep,
    caller: Annotated[Principal, Depends(services_with("credentials:read"))],
) -> SiteCredential:
    cipher = request.app.state.cipher
    client_id = caller.client_id or caller.subject
    return hand_out_credential(session, cipher, service_id, run_id=body.run_id, client_id=client_id)
