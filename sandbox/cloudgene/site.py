"""What all endpoints share: the state of the site, and who is calling."""

import sqlite3
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request

from sandbox.cloudgene.accounts import find_account
from sandbox.cloudgene.engine import JobEngine
from sandbox.cloudgene.errors import CloudgeneError, FrameworkError
from sandbox.cloudgene.settings import SiteSettings
from sandbox.cloudgene.tokens import API_TOKEN, Caller, read_token

TOKEN_HEADER = "X-Auth-Token"  # noqa: S105 - a name, no secret


@dataclass(frozen=True)
class Site:
    """One running site."""

    settings: SiteSettings
    database: sqlite3.Connection
    secret: str
    engine: JobEngine


def current_site(request: Request) -> Site:
    """The site that got the request."""
    site: Site = request.app.state.site
    return site


def identify_caller(site: Site, token: str | None) -> Caller:
    """Raises FrameworkError: 401 for no good token, 403 for an API token that was revoked or replaced."""
    claims = read_token(site.secret, token) if token else None
    account = find_account(site.database, str(claims["sub"])) if claims else None
    if claims is None or account is None:
        raise FrameworkError(401)
    api = claims.get("token_type") == API_TOKEN
    if api and claims.get("api_hash") != account.api_hash:
        raise FrameworkError(403)
    return Caller(account, api)


def find_caller(request: Request) -> Caller | None:
    """For anonymous endpoints: a bad token makes a stranger."""
    try:
        return identify_caller(current_site(request), request.headers.get(TOKEN_HEADER))
    except FrameworkError:
        return None


def require_caller(request: Request) -> Caller:
    """For endpoints that take any good token."""
    return identify_caller(current_site(request), request.headers.get(TOKEN_HEADER))


def require_login(request: Request) -> Caller:
    """For endpoints that want a person: an API token is forbidden there."""
    caller = require_caller(request)
    if caller.api:
        raise FrameworkError(403)
    return caller


def refuse_during_maintenance(request: Request) -> None:
    """Reading is refused too."""
    if current_site(request).settings.maintenance_message is not None:
        raise CloudgeneError(503, "This functionality is currently under maintenance.")


async def read_fields(request: Request) -> dict[str, str]:
    """The text fields of a form or a JSON object; raises FrameworkError 400 for neither."""
    try:
        if "json" in request.headers.get("content-type", ""):
            body: Any = await request.json()
        else:
            body = dict(await request.form())
        return {str(key): value for key, value in body.items() if isinstance(value, str)}
    except (ValueError, AttributeError) as error:
        raise FrameworkError(400, "The body is neither a form nor a JSON object.") from error


def require_field(fields: dict[str, str], name: str) -> str:
    """Raises FrameworkError 400 when it is missing."""
    if name not in fields:
        raise FrameworkError(400, f"Required argument [{name}] not specified")
    return fields[name]


CurrentSite = Annotated[Site, Depends(current_site)]
AnyCaller = Annotated[Caller | None, Depends(find_caller)]
KnownCaller = Annotated[Caller, Depends(require_caller)]
LoggedInCaller = Annotated[Caller, Depends(require_login)]
