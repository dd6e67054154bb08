"""Tokens: JWT (HS256) for the browser (24 hours) and for programs (30 days unless asked otherwise)."""

import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jose import JWTError, jwt

from sandbox.cloudgene.accounts import Account
from sandbox.cloudgene.clock import CLOCK

ALGORITHM = "HS256"
ISSUER = "cloudgene"
LOGIN_SECONDS = 24 * 3600
DAY_SECONDS = 24 * 3600
FOREVER_DAYS = 100 * 365
API_TOKEN = "API_TOKEN"  # noqa: S105 - the word that marks the kind


@dataclass(frozen=True)
class Caller:
    """Who sent a valid token; `api` tells a program's token from a browser's."""

    account: Account
    api: bool


def read_secret(path: Path) -> str:
    """The signing key, made at the first start and kept, so that tokens outlive a restart."""
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(48), encoding="utf-8")
    return path.read_text(encoding="utf-8")


def sign_login_token(secret: str, account: Account) -> str:
    """What a browser uses."""
    claims = {"username": account.username, "roles": ["Admin"] if account.admin else ["User"]}
    return _sign(secret, account, LOGIN_SECONDS, claims)


def sign_api_token(secret: str, account: Account, api_hash: str, days: int) -> str:
    """What a program uses; -1 days means (almost) for ever."""
    claims = {
        "username": account.username,
        "name": account.name,
        "mail": account.mail,
        "token_type": API_TOKEN,
        "api": True,
        "api_hash": api_hash,
        "roles": [],
    }
    return _sign(secret, account, (FOREVER_DAYS if days < 0 else days) * DAY_SECONDS, claims)


def _sign(secret: str, account: Account, seconds: int, claims: dict[str, Any]) -> str:
    now = CLOCK.now_ms() // 1000
    times = {"sub": account.username, "iat": now, "nbf": now, "exp": now + seconds, "iss": ISSUER}
    return jwt.encode({**times, **claims}, secret, algorithm=ALGORITHM)


def read_token(secret: str, token: str) -> dict[str, Any] | None:
    """The claims; None for a bad signature or a token out of its time."""
    try:
        unchecked = {"verify_exp": False, "verify_nbf": False, "verify_iat": False}  # by the site's own clock, below
        claims = jwt.decode(token, secret, algorithms=[ALGORITHM], issuer=ISSUER, options=unchecked)
    except JWTError:
        return None
    now = CLOCK.now_ms() / 1000
    return claims if claims["nbf"] <= now < claims["exp"] else None
