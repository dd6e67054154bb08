"""Who is to be told of what concerns a role, for our other services."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query

from microservices.contracts.user_service import PersonRecord
from microservices.kernel.auth import services_with
from microservices.kernel.db import SessionDep
from microservices.user_service.queries import list_people

Audience = Annotated[Literal["curator", "operator", "admin"], Query()]

router = APIRouter(tags=["internal"], dependencies=[Depends(services_with("people:read"))])


@router.get("/internal/people")
def read_people(
    role: Annotated[Literal["curator", "operator", "admin"], Query()], session: SessionDep
) -> list[PersonRecord]:
    """Administrators are in every list. Ids only: whoever needs more has to be told more."""
    return [PersonRecord(user_id=user.id, organization_id=user.organization_id) for user in list_people(session, role)]
