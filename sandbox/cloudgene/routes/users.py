"""Log-in and tokens."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.concurrency import run_in_threadpool

from sandbox.cloudgene.accounts import (
    Account,
    find_account,
    find_password_hash,
    is_locked,
    is_password,
    note_login,
    renew_api_hash,
    revoke_api_hash,
)
from sandbox.cloudgene.errors import CloudgeneError, FrameworkError
from sandbox.cloudgene.site import (
    CurrentSite,
    LoggedInCaller,
    Site,
    identify_caller,
    read_fields,
    require_field,
)
from sandbox.cloudgene.tokens import FOREVER_DAYS, LOGIN_SECONDS, Caller, read_token, sign_api_token, sign_login_token

router = APIRouter()


@router.post("/login")
async def log_in(request: Request, site: CurrentSite) -> dict[str, Any]:
    """Five wrong passwords in a row lock an account for half an hour."""
    fields = await read_fields(request)
    username = require_field(fields, "username")
    if is_locked(site.database, username):
        raise FrameworkError(401, "The user account is locked for 30 minutes. Too many failed logins.")
    account = await _check_password(site, username, require_field(fields, "password"))
    return {
        "username": username,
        "roles": ["Admin"] if account.admin else ["User"],
        "access_token": sign_login_token(site.secret, account),
        "token_type": "Bearer",
        "expires_in": LOGIN_SECONDS,
    }


async def _check_password(site: Site, username: str, password: str) -> Account:
    """Hashing takes its time and must not hold up the others."""
    hashed, account = find_password_hash(site.database, username), find_account(site.database, username)
    correct = hashed is not None and await run_in_threadpool(is_password, hashed, password)
    note_login(site.database, username, correct)
    if account is None or not correct:
        raise FrameworkError(401, "Login Failed! Wrong Username or Password.")
    return account


@router.post("/api/v2/users/{username}/api-token")
async def create_api_token(
    site: CurrentSite,
    caller: LoggedInCaller,
    username: str,
    expiration: Annotated[int, Query(ge=-1, le=FOREVER_DAYS)] = 30,
) -> dict[str, Any]:
    """The token before it is worth nothing afterwards; `expiration` is in days."""
    account = _find_own_account(site, caller, username)
    api_hash = renew_api_hash(site.database, username)
    token = sign_api_token(site.secret, account, api_hash, expiration)
    return {"success": True, "message": "Creation successfull.", "token": token, "type": 0, "time": 0}


@router.delete("/api/v2/users/{username}/api-token")
async def delete_api_token(site: CurrentSite, caller: LoggedInCaller, username: str) -> dict[str, Any]:
    """At once."""
    _find_own_account(site, caller, username)
    revoke_api_hash(site.database, username)
    return {"success": True, "message": "Deletion successfull.", "type": 0, "time": 0}


def _find_own_account(site: Site, caller: Caller, username: str) -> Account:
    """Administrators may manage the tokens of others."""
    if caller.account.username != username and not caller.account.admin:
        raise FrameworkError(403)
    account = find_account(site.database, username)
    if account is None:
        raise CloudgeneError(404, f"User {username} not found.")
    return account


@router.post("/api/v2/tokens/verify")
async def verify_token(request: Request, site: CurrentSite) -> dict[str, Any]:
    """Always 200: `valid` decides, and the `%s` is what the real server sends."""
    token = require_field(await read_fields(request), "token")
    try:
        caller = identify_caller(site, token)
    except FrameworkError:
        caller = None
    if caller is None or not caller.api:
        nobody = dict.fromkeys(("username", "name", "mail", "expire"))
        return {"valid": False, "message": "Invalid API Token.", **nobody}
    account = caller.account
    expires = datetime.fromtimestamp((read_token(site.secret, token) or {})["exp"], UTC)
    return {
        "valid": True,
        "message": "API Token was created by %s and is valid.",
        "username": account.username,
        "name": account.name,
        "mail": account.mail,
        "expire": f"{expires:%Y-%m-%dT%H:%M:%SZ}",
    }
