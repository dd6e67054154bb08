"""One's own second factor.

Without Idempotency-Key: what is answered once must not be kept anywhere.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from microservices.kernel.auth import PEOPLE, Principal
from microservices.kernel.db import SessionDep
from microservices.user_service.logic import second_factors
from microservices.user_service.routes.dependencies import AuthorityDep, OriginDep
from microservices.user_service.schemas import (
    Confirmation,
    Enrolment,
    EnrolmentAnswer,
    MfaRecord,
    Proof,
    RecoveryCodes,
)

router = APIRouter(prefix="/api/v1/users/me/mfa", tags=["second factor"])

Person = Annotated[Principal, Depends(PEOPLE)]


def keep_nowhere(response: Response) -> None:
    response.headers["Cache-Control"] = "no-store"


Secret = Depends(keep_nowhere)


@router.get("")
def show_second_factor(caller: Person, session: SessionDep) -> MfaRecord:
    return second_factors.describe_second_factor(session, caller)


@router.post("", status_code=201, dependencies=[Secret])
def enrol(given: Enrolment, caller: Person, authority: AuthorityDep, origin: OriginDep) -> EnrolmentAnswer:
    """A new secret for an authenticator app (TOTP: SHA-1, six digits, 30 s). Nothing is on before it is confirmed."""
    return second_factors.enrol(authority.login_desk, caller, given.password.get_secret_value(), origin)


@router.post("/confirm", dependencies=[Secret])
def confirm(given: Confirmation, caller: Person, authority: AuthorityDep, origin: OriginDep) -> RecoveryCodes:
    """A code of the app switches the second factor on, and ends the account's other log-ins."""
    return second_factors.confirm(authority.login_desk, caller, given.otp.get_secret_value(), origin)


@router.post("/recovery-codes", dependencies=[Secret])
def renew_recovery_codes(given: Proof, caller: Person, authority: AuthorityDep, origin: OriginDep) -> RecoveryCodes:
    """New recovery codes; the earlier ones do not work any more."""
    return second_factors.renew_codes(authority.login_desk, caller, given, origin)


@router.post("/disable", status_code=204)
def disable(given: Proof, caller: Person, authority: AuthorityDep, origin: OriginDep) -> Response:
    """Switches the second factor off, and ends the account's other log-ins."""
    second_factors.disable(authority.login_desk, caller, given, origin)
    return Response(status_code=204)
