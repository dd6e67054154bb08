"""One's own account."""

from typing import Annotated

from fastapi import APIRouter, Depends

from microservices.kernel.auth import PEOPLE, Principal
from microservices.kernel.db import SessionDep
from microservices.user_service.logic import accounts
from microservices.user_service.schemas import ProfileChange, UserRecord

router = APIRouter(prefix="/api/v1/users/me", tags=["account"])

Person = Annotated[Principal, Depends(PEOPLE)]


@router.get("")
def show_account(caller: Person, session: SessionDep) -> UserRecord:
    return accounts.describe_user(accounts.find_own_account(session, caller))


@router.patch("")
def change_account(change: ProfileChange, caller: Person, session: SessionDep) -> UserRecord:
    return accounts.change_profile(session, caller, change)
