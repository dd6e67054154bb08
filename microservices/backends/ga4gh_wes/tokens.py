"""User name and password become a token, where the site wants that (`api_config.token_url`).

The credential is then `name:password`. A token is kept as long as the session of its site, in memory only.
"""

import base64
import json
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from weakref import WeakKeyDictionary

import aiohttp
from yarl import URL

from microservices.backends.base import CredentialRefusedError, SiteConnection, SiteError
from microservices.backends.download import is_secure
from microservices.backends.failures import translate_failures
from microservices.backends.ga4gh_wes.answers import explain_answer, read_answer, read_model, refuse_credential
from microservices.backends.ga4gh_wes.wire import TokenAnswer
from microservices.backends.responses import read_bounded

_MARGIN_S = 30.0
_UNTOLD_S = 300.0


@dataclass(frozen=True)
class Token:
    """`good_until` in seconds since 1970."""

    text: str = field(repr=False)
    good_until: float


_KEPT: WeakKeyDictionary[aiohttp.ClientSession, dict[tuple[str, str], Token]] = WeakKeyDictionary()


async def get_token(session: aiohttp.ClientSession, connection: SiteConnection, token_url: str) -> str:
    """A token that is good for a while yet. Raises `CredentialRefusedError` for a wrong name or password."""
    credential = connection.credential or ""
    kept = _KEPT.setdefault(session, {})
    token = kept.get((token_url, credential))
    if token is None or token.good_until < time.time():
        token = await _ask_for_token(session, connection, token_url)
        kept[token_url, credential] = token
    return token.text


def forget_token(session: aiohttp.ClientSession, connection: SiteConnection, token_url: str) -> None:
    """For a token that the site took back."""
    _KEPT.get(session, {}).pop((token_url, connection.credential or ""), None)


async def _ask_for_token(session: aiohttp.ClientSession, connection: SiteConnection, token_url: str) -> Token:
    url = _read_address(connection, token_url)
    username, colon, password = (connection.credential or "").partition(":")
    if not (username and colon and password):
        raise CredentialRefusedError(
            "This site wants a user name and a password.",
            code="credential_malformed",
            permanent=True,
            whose="input",
            fix="Store your site credential as name:password.",
        )
    form = {"grant_type": "password", "username": username, "password": password}
    with translate_failures():
        async with session.post(url, data=form, allow_redirects=False) as response:
            body = await read_bounded(response)
    if response.status != 200:  # a refusal may repeat it; an answer with a token may hold its letters by chance
        body = body.replace(password.encode(), b"[password]")
    answer = read_answer(response.status, response.headers, body)
    if answer.document is not None and answer.status in (400, 401, 403):
        raise refuse_credential(answer.words)
    if answer.document is None or answer.status != 200:
        raise explain_answer(answer)
    given = read_model(answer, TokenAnswer)
    expiry = read_expiry(given.access_token)
    lifetime = given.expires_in if given.expires_in is not None else _UNTOLD_S
    until = expiry.timestamp() if expiry is not None else time.time() + lifetime
    return Token(given.access_token, until - _MARGIN_S)


def _read_address(connection: SiteConnection, token_url: str) -> URL:
    try:
        url = URL(token_url)
    except ValueError:
        url = URL()
    if not is_secure(connection, url):
        raise SiteError(
            "The site's token_url is not a usable https address.",
            code="token_url_unusable",
            permanent=True,
            whose="platform",
            fix="A curator has to correct api_config.token_url.",
        )
    return url


def read_expiry(token: str) -> datetime | None:
    """When a JWT ends, as it says of itself; None for any other token."""
    parts = token.split(".")
    try:
        payload = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
        return datetime.fromtimestamp(float(payload["exp"]), UTC)
    except (IndexError, ValueError, TypeError, KeyError, OverflowError, OSError):
        return None
