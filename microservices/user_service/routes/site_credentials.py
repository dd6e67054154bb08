"""People's credentials for sites: theirs to set and remove, our services' to use."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response

from microservices.contracts.user_service import CredentialRequest, SiteCredential
from microservices.kernel.auth import PEOPLE, Principal, services_with
from microservices.kernel.db import SessionDep
from microservices.kernel.pagination import Page
from microservices.user_service.logic import site_credentials
from microservices.user_service.routes.dependencies import AuthorityDep, OriginDep
from microservices.user_service.schemas import CredentialInput, CredentialQuery, CredentialRecord

router = APIRouter(tags=["site credentials"])

Person = Annotated[Principal, Depends(PEOPLE)]
Service = Annotated[Principal, Depends(services_with("credentials:read"))]


@router.get("/api/v1/users/me/site-credentials")
def list_credentials(
    caller: Person, session: SessionDep, query: Annotated[CredentialQuery, Query()]
) -> Page[CredentialRecord]:
    return site_credentials.list_credentials(session, caller, query)


@router.put("/api/v1/users/me/site-credentials/{service_id}")
def set_credential(
    service_id: UUID,
    given: CredentialInput,
    caller: Person,
    session: SessionDep,
    authority: AuthorityDep,
    origin: OriginDep,
) -> CredentialRecord:
    return site_credentials.set_credential(session, authority.cipher, caller, service_id, given.credential, origin)


@router.delete("/api/v1/users/me/site-credentials/{service_id}", status_code=204)
def delete_credential(service_id: UUID, caller: Person, session: SessionDep, origin: OriginDep) -> Response:
    site_credentials.delete_credential(session, caller, service_id, origin)
    return Response(status_code=204)


@router.post("/internal/site-credentials/resolve", tags=["internal"])
def resolve_credential(
    request: CredentialRequest,
    caller: Service,
    session: SessionDep,
    authority: AuthorityDep,
    response: Response,
    origin: OriginDep,
) -> SiteCredential:
    response.headers["Cache-Control"] = "no-store"
    return site_credentials.resolve_credential(session, authority.cipher, caller, request, origin)
