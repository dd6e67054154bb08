"""What the tokens say."""

import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import Mapping
from uuid import UUID, uuid4

from microservices.kernel.auth import AUDIENCE, ISSUER
from microservices.user_service.logic.signing_keys import KeyRing
from microservices.user_service.models import User

PERSON_LIFE_S = 600
SERVICE_LIFE_S = 3600


def sign_for_person(keyring: KeyRing, user: User, session_id: UUID) -> str:
    """An access token of `user`, of the log-in `session_id`."""
    claims = {
        "sub": str(user.id),
        "sid": str(session_id),
        "org": str(user.organization_id),
        "roles": user.role_names,
        "tier": user.tier,
    }
    return _sign(keyring, claims, PERSON_LIFE_S)


def sign_for_service(keyring: KeyRing, client_id: str, scope: str) -> str:
    return _sign(keyring, {"sub": f"service:{client_id}", "scope": scope}, SERVICE_LIFE_S)


def _sign(keyring: KeyRing, claims: Mapping[str, object], life_s: int) -> str:
    now = int(time.time())
    standard = {"iss": ISSUER, "aud": AUDIENCE, "jti": str(uuid4()), "iat": now, "exp": now + life_s}
    return keyring.sign({**standard, **claims})


def make_refresh_token() -> str:
    return secrets.token_urlsafe(32)


def make_successor(refresh_token: str, seed: str) -> str:
    """The refresh token that follows: always the same of the two, and of neither alone."""
    digest = hmac.digest(refresh_token.encode(), seed.encode(), "sha256")
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def hash_refresh_token(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
