"""Log-ins of people: by password, on by refresh tokens, which rotate, and their end.

A refresh token is used once. One that comes again was copied, by a thief or from one, and nobody can tell which of
the two is asking: the whole family ends, and its owner logs in anew. But an answer can be lost, when a page is left
while it is under way, and two tabs may ask at once: for a moment, and while nobody has used the successor, the token
gives that same successor again, so that the family stays one line and a copy shows at the next use.
"""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from microservices.kernel.auth import Principal
from microservices.kernel.db import Database, utc_now
from microservices.user_service import queries
from microservices.user_service.errors import WRONG_CODE, GrantError
from microservices.user_service.logic import tokens
from microservices.user_service.logic.audit import Origin, record_action, record_of_user
from microservices.user_service.logic.codes import Kind, take_code
from microservices.user_service.logic.desk import LoginDesk
from microservices.user_service.logic.passwords import check_password, hash_password, needs_rehash
from microservices.user_service.logic.second_factors import note_code
from microservices.user_service.logic.signing_keys import KeyRing
from microservices.user_service.models import LoginSession, RefreshToken, User
from microservices.user_service.schemas import TokenAnswer, normalize_email

IDLE_LIFE = timedelta(days=30)
ABSOLUTE_LIFE = timedelta(days=90)
GRACE = timedelta(seconds=10)
"""How long a refresh token that was used gives its unused successor again."""


def log_in(desk: LoginDesk, username: str, password: str, otp: str, origin: Origin) -> TokenAnswer:
    """`otp`: a code of the second factor, where there is one.

    Raises `GrantError` (`invalid_grant`, `account_inactive`, `otp_required`, `otp_invalid`) or `TooManyAttemptsError`.
    """
    email = _read_username(username)
    with desk.throttle.attempt(email, origin.address) as attempt:
        with desk.database.transaction() as session:
            user = queries.find_user_by_email(session, email) if email else None
        right = check_password(user.password_hash if user else None, password)
        if user is None or not right:
            attempt.outcome = "wrong"
            _record_failure(desk.database, user, origin, "wrong_password" if user else "unknown_account")
            raise _wrong()
        _require_active(desk.database, user, origin)
        with desk.database.transaction() as session:
            outcome = _open_session(session, desk, user.id, password, otp, origin)
        # Raised only now: that a code was wrong must be committed.
        if isinstance(outcome, GrantError):
            attempt.outcome = "wrong" if otp else "open"
            raise outcome
        attempt.outcome = "right"
        return outcome


def _read_username(given: str) -> str:
    """The address as it is stored; empty for what is none, and such an account does not exist."""
    try:
        return normalize_email(given)
    except ValueError:
        return ""


def _record_failure(database: Database, user: User | None, origin: Origin, reason: str) -> None:
    with database.transaction() as session:
        if user:
            record_of_user(session, "login_failed", origin, user, actor="anonymous", details={"reason": reason})
        else:
            record_action(session, "login_failed", origin, actor="anonymous", details={"reason": reason})


def _require_active(database: Database, user: User, origin: Origin) -> None:
    if not user.is_active:
        _record_failure(database, user, origin, "inactive")
        raise _inactive()


def _inactive() -> GrantError:
    detail = "This account has been deactivated. Ask an administrator."
    return GrantError("account_inactive", detail, oauth_error="invalid_grant")


def _wrong() -> GrantError:
    return GrantError("invalid_grant", "The e-mail address or the password is wrong.")


def _open_session(
    session: Session, desk: LoginDesk, user_id: UUID, password: str, otp: str, origin: Origin
) -> TokenAnswer | GrantError:
    user = queries.find_user(session, user_id)
    if user is None:
        return _wrong()
    kind = _ask_for_code(session, desk, user, otp, origin)
    if isinstance(kind, GrantError):
        return kind
    if needs_rehash(user.password_hash):
        user.password_hash = hash_password(password)
    now = utc_now()
    queries.delete_ended_sessions(session, user.id, now)
    login = LoginSession(user=user, created_at=now, ends_at=now + ABSOLUTE_LIFE)
    session.add(login)
    session.flush()
    second = {"second_factor": kind} if kind else {}
    record_of_user(session, "logged_in", origin, user, details={"session_id": str(login.id), **second})
    return _issue(session, desk.keyring, login, tokens.make_refresh_token())


def _ask_for_code(session: Session, desk: LoginDesk, user: User, otp: str, origin: Origin) -> Kind | GrantError | None:
    """What kind of code was given; None where no code is needed."""
    # Also one that waits: whoever confirms it now either ends the log-in that is being made, or is seen by it.
    factor = queries.lock_second_factor(session, user.id)
    if factor is None or factor.confirmed_at is None:
        return None
    if not otp:
        detail = "This account has a second factor: give the code of your authenticator app, or a recovery code."
        return GrantError("otp_required", detail, oauth_error="invalid_grant")
    kind = take_code(session, desk.cipher, factor, otp, utc_now())
    if kind is None:
        record_of_user(session, "login_failed", origin, user, actor="anonymous", details={"reason": "wrong_code"})
        return GrantError("otp_invalid", WRONG_CODE, oauth_error="invalid_grant")
    note_code(session, user, kind, origin)
    return kind


def _issue(session: Session, keyring: KeyRing, login: LoginSession, refresh_token: str) -> TokenAnswer:
    now = utc_now()
    session.add(
        RefreshToken(
            token_hash=tokens.hash_refresh_token(refresh_token),
            session_id=login.id,
            created_at=now,
            expires_at=min(now + IDLE_LIFE, login.ends_at),
        )
    )
    return _answer(keyring, login, refresh_token)


def _answer(keyring: KeyRing, login: LoginSession, refresh_token: str) -> TokenAnswer:
    return TokenAnswer(
        access_token=tokens.sign_for_person(keyring, login.user, login.id),
        expires_in=tokens.PERSON_LIFE_S,
        refresh_token=refresh_token,
    )


def refresh(desk: LoginDesk, refresh_token: str, origin: Origin) -> TokenAnswer:
    """New tokens for a refresh token that was not used yet, or whose answer may have been lost. Raises `GrantError`."""
    with desk.database.transaction() as session:
        outcome = _rotate(session, desk.keyring, refresh_token, origin)
    # Raised only now: ending the family must be committed.
    if isinstance(outcome, GrantError):
        desk.herald.announce()
        raise outcome
    return outcome


def _rotate(session: Session, keyring: KeyRing, refresh_token: str, origin: Origin) -> TokenAnswer | GrantError:
    now = utc_now()
    token_hash = tokens.hash_refresh_token(refresh_token)
    login = queries.lock_session_of_token(session, token_hash)
    token = queries.find_refresh_token(session, token_hash)
    refused = GrantError("invalid_grant", "The refresh token is not valid or has ended. Log in again.")
    if login is None or token is None or login.revoked_at is not None:
        return refused
    successor = tokens.make_successor(refresh_token, token.successor_seed) if token.successor_seed else ""
    if token.used_at is not None and not _may_repeat(session, token.used_at, successor, now):
        return _end_family(session, login, origin)
    if token.expires_at <= now:
        return refused
    if not login.user.is_active:
        return _inactive()
    if token.used_at is not None:
        return _answer(keyring, login, successor)
    token.used_at, token.successor_seed = now, tokens.make_refresh_token()
    return _issue(session, keyring, login, tokens.make_successor(refresh_token, token.successor_seed))


def _may_repeat(session: Session, used_at: datetime, successor: str, now: datetime) -> bool:
    following = queries.find_refresh_token(session, tokens.hash_refresh_token(successor))
    return following is not None and following.used_at is None and now < used_at + GRACE


def _end_family(session: Session, login: LoginSession, origin: Origin) -> GrantError:
    login.revoked_at = utc_now()
    details = {"session_id": str(login.id)}
    record_of_user(session, "refresh_reused", origin, login.user, actor="anonymous", details=details)
    return GrantError("invalid_grant", "This refresh token was used before, so its log-in was ended. Log in again.")


def log_out(desk: LoginDesk, caller: Principal, origin: Origin) -> None:
    """End the log-in that the caller's token comes from: refresh tokens at once, access tokens within seconds."""
    user_id, _ = caller.person
    with desk.database.transaction() as session:
        login = queries.lock_session(session, UUID(caller.session_id), user_id)
        if login is not None and login.revoked_at is None:
            login.revoked_at = utc_now()
            record_of_user(session, "logged_out", origin, login.user, details={"session_id": caller.session_id})
    desk.herald.announce()
