"""user_service, as the log-in form and the sessions need it."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
from django.conf import settings

from django_app.config.requests import request_id_var
from django_app.imputation.api.authentication import get_verifier
from microservices.kernel.auth import Principal
from microservices.kernel.errors import ServiceError
from microservices.kernel.logs import get_logger

_TIMEOUT_S = 5.0

log = get_logger(__name__)


class RefusedError(Exception):
    """user_service says no; its words."""


class AuthorityAwayError(Exception):
    """user_service does not answer, or not so that it can be used; nothing was decided."""


@dataclass(frozen=True)
class Grant:
    principal: Principal
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)

    @property
    def ends_at(self) -> datetime:
        return datetime.fromtimestamp(self.principal.expires_at, UTC)


def log_in(email: str, password: str, code: str, address: str) -> Grant:
    """`code`: of a second factor, where the account has one; `address`: the person's, whose failures are counted.

    Raises RefusedError or AuthorityAwayError.
    """
    form = {"grant_type": "password", "username": email, "password": password}
    return _ask_for_token(form | ({"otp": code} if code else {}), address)


def renew(refresh_token: str, address: str) -> Grant:
    """Raises RefusedError or AuthorityAwayError. The refresh token is used up, whatever comes."""
    return _ask_for_token({"grant_type": "refresh_token", "refresh_token": refresh_token}, address)


def _ask_for_token(form: dict[str, str], address: str) -> Grant:
    answer = _call("POST", "/api/v1/auth/token", data=form, headers={"X-Forwarded-For": address})
    if answer.status_code in (400, 401, 403, 429):
        raise RefusedError(_read_words(answer))
    try:
        tokens = answer.raise_for_status().json()
        principal = get_verifier().verify(tokens["access_token"])
        return Grant(principal, tokens["access_token"], tokens["refresh_token"])
    except (httpx.HTTPError, ServiceError, ValueError, KeyError, TypeError) as error:
        raise AuthorityAwayError(f"{type(error).__name__}: {error}"[:300]) from error


def read_name(access_token: str) -> str:
    """How the person is called; empty when that is not to be had."""
    try:
        answer = _call("GET", "/api/v1/users/me", headers={"Authorization": f"Bearer {access_token}"})
        return str(answer.raise_for_status().json()["full_name"])
    except (AuthorityAwayError, httpx.HTTPError, ValueError, KeyError, TypeError):
        return ""


def log_out(access_token: str) -> None:
    """Ends the log-in there as well; what cannot be ended ends by itself."""
    try:
        answer = _call("POST", "/api/v1/auth/logout", headers={"Authorization": f"Bearer {access_token}"})
    except AuthorityAwayError as error:
        log.warning("platform_log_out_failed", error=str(error))
        return
    if not answer.is_success:
        log.warning("platform_log_out_failed", status=answer.status_code)


def _call(method: str, path: str, *, headers: dict[str, str], **content: Any) -> httpx.Response:
    url = f"{settings.ENVIRONMENT.authority_url}{path}"
    headers = {**headers, "X-Request-ID": request_id_var.get()}
    try:
        return httpx.request(method, url, headers=headers, timeout=_TIMEOUT_S, trust_env=False, **content)
    except httpx.TransportError as error:
        raise AuthorityAwayError(f"{type(error).__name__}: {error}"[:300]) from error


def _read_words(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["detail"])[:500]
    except (ValueError, KeyError, TypeError):
        return f"The log-in was refused ({answer.status_code})."
