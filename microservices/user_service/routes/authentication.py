"""Registering, tokens and their end, and the keys to verify them with."""

import base64
import binascii
from typing import Annotated, TypeVar
from urllib.parse import unquote_plus

from fastapi import APIRouter, Depends, Form, Header, Response

from microservices.kernel.auth import ANYONE, PEOPLE, Principal
from microservices.user_service.errors import GrantError, InvalidClientError
from microservices.user_service.logic import accounts, logins
from microservices.user_service.logic.audit import Origin
from microservices.user_service.logic.clients import log_in_client
from microservices.user_service.routes.dependencies import Authority, AuthorityDep, OriginDep
from microservices.user_service.schemas import KeySet, Registration, TokenAnswer, TokenForm, UserRecord

Value = TypeVar("Value")

router = APIRouter(tags=["authentication"], dependencies=[Depends(ANYONE)])


@router.post("/api/v1/auth/register", status_code=201)
def register(wanted: Registration, authority: AuthorityDep, origin: OriginDep) -> UserRecord:
    return accounts.register(authority.database, wanted, origin)


@router.post("/api/v1/auth/token", response_model_exclude_none=True)
def issue_token(
    form: Annotated[TokenForm, Form()],
    response: Response,
    authority: AuthorityDep,
    origin: OriginDep,
    authorization: Annotated[str, Header(include_in_schema=False)] = "",
) -> TokenAnswer:
    """`grant_type`: `password` (`username`, `password`, and `otp` where the account has a second factor: a code of the
    app or a recovery code), `refresh_token` (`refresh_token`) or `client_credentials` (`client_id` and `client_secret`,
    or HTTP Basic). A refused grant is a 400 with `invalid_grant`, or `otp_required` or `otp_invalid`.
    """
    response.headers["Cache-Control"] = "no-store"
    if form.grant_type == "client_credentials":
        client_id, client_secret = _read_client(form, authorization)
        return log_in_client(authority.keyring, authority.settings.client_secrets, client_id, client_secret)
    return _grant_person(form, authority, origin)


@router.post("/api/v1/auth/logout", status_code=204)
def log_out(
    caller: Annotated[Principal, Depends(PEOPLE)], response: Response, authority: AuthorityDep, origin: OriginDep
) -> Response:
    """Ends the log-in that the token comes from, with all its tokens; within 5 s nobody takes one of them any more."""
    logins.log_out(authority.login_desk, caller, origin)
    return Response(status_code=204)


def _grant_person(form: TokenForm, authority: Authority, origin: Origin) -> TokenAnswer:
    if form.grant_type == "password":
        password = _require(form.password, "password").get_secret_value()
        otp = form.otp.get_secret_value().strip() if form.otp else ""
        return logins.log_in(authority.login_desk, _require(form.username, "username"), password, otp, origin)
    if form.grant_type == "refresh_token":
        refresh_token = _require(form.refresh_token, "refresh_token").get_secret_value()
        return logins.refresh(authority.login_desk, refresh_token, origin)
    raise GrantError(
        "unsupported_grant_type", "grant_type must be one of: password, refresh_token, client_credentials."
    )


def _require(value: Value | None, name: str) -> Value:
    if value is None:
        raise GrantError("invalid_request", f"This grant_type needs the field '{name}'.")
    return value


def _read_client(form: TokenForm, authorization: str) -> tuple[str, str]:
    """(id, secret) from the form or from HTTP Basic (RFC 6749 section 2.3.1), but not from both."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        client_id, client_secret = _require(form.client_id, "client_id"), _require(form.client_secret, "client_secret")
        return client_id, client_secret.get_secret_value()
    if form.client_secret is not None:
        raise GrantError("invalid_request", "Send the client's secret in the form or in the header, not in both.")
    try:
        client_id, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, ValueError) as error:
        raise InvalidClientError from error
    return unquote_plus(client_id), unquote_plus(secret)


@router.get("/.well-known/jwks.json")
def publish_keys(response: Response, authority: AuthorityDep) -> KeySet:
    response.headers["Cache-Control"] = "public, max-age=60"
    return KeySet.model_validate({"keys": authority.keyring.list_public()})
