"""A session by platform account lasts as long as the right: it follows its log-in at user_service.

The access token (10 min) is renewed by the requests that come when it is about to end; a refusal ends the session, and
lost roles are lost here. A log-in that was ended elsewhere is heard of within seconds. While user_service is away, what
was last known holds until the token's end and `GRACE` on top.
"""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from django_app.imputation.api.authentication import get_verifier
from django_app.imputation.encryption import SealedText
from django_app.staff import authority
from django_app.staff.authority import AuthorityAwayError, Grant, RefusedError
from django_app.staff.entry import NO_ROLE, find_address, is_local
from django_app.staff.models import PlatformSession
from django_app.staff.roles import STAFF_ROLES, give_roles
from microservices.kernel.crypto import DecryptionError
from microservices.kernel.logs import get_logger

GRACE = timedelta(minutes=10)
_RENEW_BEFORE = timedelta(minutes=1)
_ASK_AGAIN_AFTER = timedelta(seconds=15)
_KEPT = timedelta(days=1)  # longer than any session of the admin
_KEY = "platform_session"
_GRANT = "_platform_grant"

ENDED = "Your log-in was ended. Log in again."
AWAY = "The platform's log-in service has been away for so long that your rights cannot be confirmed. Log in again."

log = get_logger(__name__)


class RightEndedError(Exception):
    """The session must end now; the message tells the person why."""


def connect() -> None:
    user_logged_in.connect(_open_session, dispatch_uid="staff.open")
    user_logged_out.connect(_close_session, dispatch_uid="staff.close")


def attach_grant(user: User, grant: Grant) -> None:
    """For the session that is about to be opened for `user`."""
    setattr(user, _GRANT, grant)


def _open_session(request: HttpRequest, user: User, **_signal: Any) -> None:
    request.session.pop(_KEY, None)
    grant: Grant | None = getattr(user, _GRANT, None)
    if grant is None:
        return
    PlatformSession.objects.filter(created_at__lt=timezone.now() - _KEPT).delete()
    session = PlatformSession(user=user)
    _take_grant(session, grant)
    request.session[_KEY] = str(session.pk)


def _take_grant(session: PlatformSession, grant: Grant) -> None:
    session.login_id = grant.principal.session_id
    session.access_token, session.refresh_token = (
        SealedText.seal(grant.access_token),
        SealedText.seal(grant.refresh_token),
    )
    session.access_ends_at, session.ask_again_at = grant.ends_at, None
    session.save()


def _close_session(request: HttpRequest, **_signal: Any) -> None:
    session = _find_session(request)
    if session is None:
        return
    session.delete()
    try:
        token = _reveal(session.access_token)
        if session.access_ends_at <= timezone.now():
            token = authority.renew(_reveal(session.refresh_token), find_address(request)).access_token
        authority.log_out(token)
    except (DecryptionError, RefusedError, AuthorityAwayError) as error:
        log.warning("platform_log_out_failed", error=str(error))


def _find_session(request: HttpRequest) -> PlatformSession | None:
    key = request.session.get(_KEY)
    return PlatformSession.objects.filter(pk=UUID(key)).first() if key else None


def _reveal(sealed: SealedText | None) -> str:
    return sealed.reveal() if sealed else ""


def confirm_right(request: HttpRequest, user: User) -> User:
    """The logged-in person, with the rights that they have now. Raises RightEndedError."""
    session = _find_session(request)
    if session is None or session.user_id != user.pk:
        if is_local(user):
            return user
        raise RightEndedError(ENDED)
    if session.login_id in get_verifier().revoked:
        session.delete()
        raise RightEndedError(ENDED)
    if _is_fresh(session):
        return user
    if problem := _renew(session.pk, user, find_address(request)):
        raise RightEndedError(problem)
    return User.objects.get(pk=user.pk)


def _is_fresh(session: PlatformSession) -> bool:
    return timezone.now() < session.access_ends_at - _RENEW_BEFORE


def _renew(key: UUID, user: User, address: str) -> str:
    """Why the session must end, in words; empty when it goes on.

    Of requests at once one renews the token, for a refresh token that is used twice ends the log-in; the others wait.
    """
    with transaction.atomic():
        session = PlatformSession.objects.select_for_update().filter(pk=key).first()
        if session is None:
            return ENDED
        now = timezone.now()
        waits = session.ask_again_at is not None and session.ask_again_at > now
        if not _is_fresh(session) and not waits:
            try:
                return _ask_for_right(session, user, address)
            except AuthorityAwayError as error:
                log.warning("platform_session_not_renewed", error=str(error))
                session.ask_again_at = now + _ASK_AGAIN_AFTER
                session.save(update_fields=["ask_again_at"])
        if now < session.access_ends_at + GRACE:
            return ""
        session.delete()
        return AWAY


def _ask_for_right(session: PlatformSession, user: User, address: str) -> str:
    """A session without a staff role is left to the log-out, which ends it at user_service as well."""
    try:
        grant = authority.renew(_reveal(session.refresh_token), address)
    except (RefusedError, DecryptionError) as error:
        log.info("platform_session_ended", user=user.pk, reason=str(error))
        session.delete()
        return str(error) if isinstance(error, RefusedError) else ENDED
    _take_grant(session, grant)
    give_roles(user, grant.principal.roles)
    return "" if STAFF_ROLES & grant.principal.roles else NO_ROLE
