"""Other people's accounts, for administrators."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response

from microservices.kernel.auth import Principal, people_with
from microservices.kernel.db import SessionDep
from microservices.kernel.pagination import Page
from microservices.user_service.logic import second_factors
from microservices.user_service.logic.people import list_accounts
from microservices.user_service.routes.dependencies import AuthorityDep, OriginDep
from microservices.user_service.schemas import PeopleQuery, UserRecord

router = APIRouter(prefix="/api/v1/users", tags=["administration"])

Administrator = Annotated[Principal, Depends(people_with("admin"))]


@router.get("")
def list_people(
    _caller: Administrator, session: SessionDep, query: Annotated[PeopleQuery, Query()]
) -> Page[UserRecord]:
    """Everybody's account, of all organisations."""
    return list_accounts(session, query)


@router.delete("/{user_id}/mfa", status_code=204)
def reset_second_factor(user_id: UUID, caller: Administrator, authority: AuthorityDep, origin: OriginDep) -> Response:
    """For somebody who has lost app and recovery codes: theirs is off, all their log-ins end, and they are told."""
    second_factors.reset(authority.login_desk, caller, user_id, origin)
    return Response(status_code=204)
