"""The second factor of an account: on with a code of the app, off with password and code, reset by administrators.

Switching ends the account's other log-ins: whoever got in by the password alone is out.
"""

from collections.abc import Callable
from typing import TypeVar
from uuid import UUID

from sqlalchemy.orm import Session

from microservices.contracts.user_service import SECOND_FACTOR_CHANGED, SecondFactorChange, SecondFactorChanged
from microservices.kernel.auth import Principal
from microservices.kernel.db import utc_now
from microservices.kernel.errors import ForbiddenError
from microservices.kernel.outbox import record_event
from microservices.user_service import queries
from microservices.user_service.errors import (
    SecondFactorOffError,
    SecondFactorOnError,
    UserNotFoundError,
    WrongCodeError,
    WrongPasswordError,
)
from microservices.user_service.logic import recovery_codes
from microservices.user_service.logic.accounts import find_own_account
from microservices.user_service.logic.audit import Origin, record_of_user
from microservices.user_service.logic.codes import Kind, take_code
from microservices.user_service.logic.desk import LoginDesk
from microservices.user_service.logic.one_time_codes import make_secret, write_uri
from microservices.user_service.logic.passwords import check_password
from microservices.user_service.models import SecondFactor, User
from microservices.user_service.schemas import EnrolmentAnswer, MfaRecord, Proof, RecoveryCodes

Outcome = TypeVar("Outcome")

_NOT_ON = "The second factor of this account is not on."


def describe_second_factor(session: Session, caller: Principal) -> MfaRecord:
    user = find_own_account(session, caller)
    return MfaRecord(
        enabled=user.has_second_factor,
        enabled_at=user.second_factor.confirmed_at if user.second_factor else None,
        recovery_codes_left=queries.count_recovery_codes(session, user.id),
    )


def enrol(desk: LoginDesk, caller: Principal, password: str, origin: Origin) -> EnrolmentAnswer:
    """A secret that waits to be confirmed. Raises `WrongPasswordError` or `SecondFactorOnError`."""
    user = _prove_password(desk, caller, password, origin)
    secret = make_secret()
    with desk.database.transaction() as session:
        if not queries.replace_second_factor(session, user.id, desk.cipher.encrypt(secret)):
            raise SecondFactorOnError("The second factor is on. Switch it off first to use another app.")
    return EnrolmentAnswer(secret=secret, otpauth_uri=write_uri(secret, user.email))


def _prove_password(desk: LoginDesk, caller: Principal, password: str, origin: Origin) -> User:
    with desk.database.transaction() as session:
        user = find_own_account(session, caller)
    with desk.throttle.attempt(user.email, origin.address) as attempt:
        if check_password(user.password_hash, password):
            return user
        attempt.outcome = "wrong"
        with desk.database.transaction() as session:
            record_of_user(session, "proof_failed", origin, user, details={"reason": "wrong_password"})
        raise WrongPasswordError("The password is wrong.")


def confirm(desk: LoginDesk, caller: Principal, otp: str, origin: Origin) -> RecoveryCodes:
    """From now on log-ins need a code. Raises `WrongCodeError`, `SecondFactorOnError` or `SecondFactorOffError`."""

    def switch_on(session: Session, user: User, factor: SecondFactor) -> RecoveryCodes:
        factor.confirmed_at = utc_now()
        record_of_user(session, "mfa_enabled", origin, user)
        queries.end_sessions(session, user.id, factor.confirmed_at, but=UUID(caller.session_id))
        tell_change(session, user, "enabled")
        return _make_codes(session, user)

    return _change(desk, caller, otp, origin, switch_on, confirmed=False)


def disable(desk: LoginDesk, caller: Principal, proof: Proof, origin: Origin) -> None:
    """Raises `WrongPasswordError`, `WrongCodeError` or `SecondFactorOffError`."""

    def switch_off(session: Session, user: User, factor: SecondFactor) -> None:
        session.delete(factor)
        record_of_user(session, "mfa_disabled", origin, user)
        queries.end_sessions(session, user.id, utc_now(), but=UUID(caller.session_id))
        tell_change(session, user, "disabled")

    _prove_password(desk, caller, proof.password.get_secret_value(), origin)
    _change(desk, caller, proof.otp.get_secret_value(), origin, switch_off)


def renew_codes(desk: LoginDesk, caller: Principal, proof: Proof, origin: Origin) -> RecoveryCodes:
    """New recovery codes in place of all earlier ones. Raises as `disable` does."""

    def replace(session: Session, user: User, _factor: SecondFactor) -> RecoveryCodes:
        record_of_user(session, "recovery_codes_made", origin, user)
        tell_change(session, user, "codes_renewed")
        return _make_codes(session, user)

    _prove_password(desk, caller, proof.password.get_secret_value(), origin)
    return _change(desk, caller, proof.otp.get_secret_value(), origin, replace)


def _change(
    desk: LoginDesk,
    caller: Principal,
    otp: str,
    origin: Origin,
    change: Callable[[Session, User, SecondFactor], Outcome],
    *,
    confirmed: bool = True,
) -> Outcome:
    """`change`, in the transaction that takes the code; of a second factor that is, or is not yet, `confirmed`."""
    with desk.database.transaction() as session:
        user = find_own_account(session, caller)
        factor = _lock(session, user, confirmed=confirmed)
        kind = take_code(session, desk.cipher, factor, otp, utc_now())
        if kind is None:
            record_of_user(session, "proof_failed", origin, user, details={"reason": "wrong_code"})
        else:
            note_code(session, user, kind, origin)
            outcome = change(session, user, factor)
    # Raised only now: that the code was wrong must be committed.
    if kind is None:
        raise WrongCodeError
    desk.herald.announce()
    return outcome


def _lock(session: Session, user: User, *, confirmed: bool) -> SecondFactor:
    factor = queries.lock_second_factor(session, user.id)
    if confirmed and (factor is None or factor.confirmed_at is None):
        raise SecondFactorOffError(_NOT_ON)
    if factor is None:
        raise SecondFactorOffError("Nothing waits to be confirmed. Enrol first.")
    if not confirmed and factor.confirmed_at is not None:
        raise SecondFactorOnError("The second factor is on already.")
    return factor


def note_code(session: Session, user: User, kind: Kind, origin: Origin) -> None:
    """A recovery code that was used is worth a word: it may not have been its owner."""
    if kind == "recovery":
        left = queries.count_recovery_codes(session, user.id)
        record_of_user(session, "recovery_code_used", origin, user, details={"left": left})
        tell_change(session, user, "recovery_code_used", codes_left=left)


def _make_codes(session: Session, user: User) -> RecoveryCodes:
    codes = recovery_codes.make_codes()
    queries.replace_recovery_codes(session, user.id, [recovery_codes.hash_code(user.id, code) for code in codes])
    return RecoveryCodes(recovery_codes=codes)


def reset(desk: LoginDesk, caller: Principal, user_id: UUID, origin: Origin) -> None:
    """By an administrator, for somebody who has lost app and recovery codes. All their log-ins end.

    Raises `UserNotFoundError`, `SecondFactorOffError`, and `ForbiddenError` for the administrator's own account.
    """
    if user_id == caller.user_id:
        raise ForbiddenError("Switch off your own second factor with password and code, or ask another administrator.")
    with desk.database.transaction() as session:
        user = queries.find_user(session, user_id)
        if user is None:
            raise UserNotFoundError("There is no account with this id.")
        if not take_away(session, user, origin, actor=caller.subject):
            raise SecondFactorOffError(_NOT_ON)
        queries.end_sessions(session, user_id, utc_now())
    desk.herald.announce()


def take_away(session: Session, user: User, origin: Origin, *, actor: str) -> bool:
    """False when there is none. The caller ends the account's log-ins."""
    factor = queries.lock_second_factor(session, user.id)
    if factor is None:
        return False
    session.delete(factor)
    record_of_user(session, "mfa_reset", origin, user, actor=actor)
    tell_change(session, user, "reset")
    return True


def tell_change(session: Session, user: User, change: SecondFactorChange, *, codes_left: int | None = None) -> None:
    """The owner is told, on their pages and in their notifications: it may have been somebody else."""
    told = SecondFactorChanged(
        owner_id=user.id, organization_id=user.organization_id, change=change, recovery_codes_left=codes_left
    )
    record_event(
        session,
        type=SECOND_FACTOR_CHANGED,
        subject=f"second-factor/{user.id}",
        data=told.model_dump(),
        subscribers=["notification"],
    )
