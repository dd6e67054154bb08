"""Who is calling: verification of access tokens, and the access that each route declares.

Tokens are ES256 JWTs of the platform's authorisation server. Verification is local, from its published keys; the
last good set is kept, so the authorisation server may be away. This is the only module that uses python-jose, and it
checks the header itself, because the library would accept unknown `crit` and other algorithms.
"""

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx
from jose import jwt
from jose.exceptions import JOSEError
from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection
from starlette.types import Scope

from microservices.kernel.errors import DependencyUnavailableError, ForbiddenError, ServiceError, UnauthenticatedError
from microservices.kernel.logs import get_logger
from microservices.kernel.revocations import RevokedSessions, follow_revocations

ISSUER = AUDIENCE = "imputehub"
ALGORITHM = "ES256"
_REQUIRED = ("exp", "iat", "iss", "aud", "sub")
_REFETCH_AT_MOST_EVERY_S = 10
_RETRY_WITHOUT_KEYS_S = 1
_CACHE_SIZE = 10_000

log = get_logger(__name__)


@dataclass(frozen=True)
class Principal:
    """The verified caller: a person (`user_id`) or one of our services (`client_id`)."""

    subject: str
    token: str = field(repr=False)
    expires_at: float
    user_id: UUID | None = None
    client_id: str | None = None
    organization_id: UUID | None = None
    roles: frozenset[str] = frozenset()
    scopes: frozenset[str] = frozenset()
    tier: str = ""
    session_id: str = ""
    """The log-in (`sid`) that the token comes from; services have none."""

    @property
    def person(self) -> tuple[UUID, UUID]:
        """(user, organisation) of a person; a service has neither."""
        if self.user_id is None or self.organization_id is None:
            raise ForbiddenError("This is for people's accounts, not for services.")
        return self.user_id, self.organization_id


class TokenVerifier:
    """Verifies access tokens against the keys published at `jwks_url`; those of a log-in in `revoked` are refused."""

    def __init__(self, jwks_url: str, *, timeout_s: float = 3) -> None:
        self._jwks_url = jwks_url
        self._timeout_s = timeout_s
        self._keys: dict[str, dict[str, Any]] = {}
        self._fetch_again_at = 0.0
        self._fetch_lock = threading.Lock()
        self._lock = threading.Lock()
        self._verified: OrderedDict[str, Principal] = OrderedDict()
        self.revoked = RevokedSessions()

    def follow_revocations(self, redis_url: str) -> None:
        """From now to the end of the process; for those whose application has no lifespan to do it in."""
        arguments = (self.revoked, redis_url, threading.Event())
        threading.Thread(target=follow_revocations, args=arguments, name="revocations", daemon=True).start()

    def recall(self, token: str) -> Principal | None:
        """The caller of a token that was verified before and has not ended: no cryptography, no I/O."""
        principal = self._verified.get(token)
        if principal is None:
            return None
        if principal.expires_at <= time.time() or principal.session_id in self.revoked:
            self._verified.pop(token, None)
            return None
        return principal

    def verify(self, token: str) -> Principal:
        """The caller of `token`. May fetch keys (blocking).

        Raises `UnauthenticatedError`, or `DependencyUnavailableError` when no keys have ever been had.
        """
        known = self.recall(token)
        if known is not None:
            return known
        try:
            header = jwt.get_unverified_header(token)
            if header.get("alg") != ALGORITHM or "crit" in header or not isinstance(header.get("kid"), str):
                raise UnauthenticatedError("The access token is not of this platform. Log in again.")
            claims = jwt.decode(
                token,
                self._find_key(header["kid"]),
                algorithms=[ALGORITHM],
                audience=AUDIENCE,
                issuer=ISSUER,
                options={f"require_{claim}": True for claim in _REQUIRED},
            )
            principal = _principal_of(claims, token)
        except (JOSEError, KeyError, ValueError, TypeError, AttributeError) as error:
            raise UnauthenticatedError("The access token is not valid or has ended. Log in again.") from error
        if principal.session_id in self.revoked:
            raise UnauthenticatedError("This log-in was ended. Log in again.")
        self._remember(principal)
        return principal

    def _remember(self, principal: Principal) -> None:
        with self._lock:
            self._verified[principal.token] = principal
            while len(self._verified) > _CACHE_SIZE:
                self._verified.popitem(last=False)

    def _find_key(self, kid: str) -> dict[str, Any]:
        if kid not in self._keys:
            self._fetch_keys()
        if not self._keys:
            raise DependencyUnavailableError("Log-ins cannot be checked at the moment. Try again in a few seconds.")
        if kid not in self._keys:
            raise UnauthenticatedError("The access token is not of this platform. Log in again.")
        return self._keys[kid]

    def _fetch_keys(self) -> None:
        """Tries at most every 10 s, whether it succeeds or not: made-up key ids must not keep everyone waiting."""
        with self._fetch_lock:
            if time.monotonic() < self._fetch_again_at:
                return
            try:
                keys = {key["kid"]: key for key in self.load_keys() if key["kty"] == "EC"}
                self._keys = keys or self._keys
            except (httpx.HTTPError, ServiceError, LookupError, TypeError, ValueError) as error:
                log.warning("jwks_not_fetched", error=repr(error))
            wait_s = _REFETCH_AT_MOST_EVERY_S if self._keys else _RETRY_WITHOUT_KEYS_S
            self._fetch_again_at = time.monotonic() + wait_s

    def load_keys(self) -> list[dict[str, Any]]:
        """The published keys; the authority itself, which has them at hand, overrides this."""
        answer = httpx.get(self._jwks_url, timeout=self._timeout_s, trust_env=False).raise_for_status()
        keys: list[dict[str, Any]] = answer.json()["keys"]
        return keys


def sign_claims(claims: dict[str, Any], *, private_key_pem: str, headers: dict[str, Any]) -> str:
    """The token that `TokenVerifier` accepts; `headers` needs the `kid`. Only the authority has the private key."""
    return jwt.encode(claims, private_key_pem, algorithm=ALGORITHM, headers=headers)


def _principal_of(claims: dict[str, Any], token: str) -> Principal:
    subject = claims["sub"]
    client_id = subject.removeprefix("service:") if subject.startswith("service:") else None
    return Principal(
        subject=subject,
        token=token,
        expires_at=float(claims["exp"]),
        user_id=None if client_id else UUID(subject),
        client_id=client_id,
        organization_id=UUID(claims["org"]) if claims.get("org") else None,
        roles=frozenset(claims.get("roles") or ()),
        scopes=frozenset((claims.get("scope") or "").split()),
        tier=claims.get("tier") or "",
        session_id=str(claims.get("sid") or ""),
    )


class AccessRule:
    """What a route declares: who may call it. A test walks all routes and fails for one without a rule."""

    def __init__(self, *, public: bool = False, roles: frozenset[str] = frozenset(), scope: str = "") -> None:
        self.public = public
        self.roles = roles
        self.scope = scope

    async def __call__(self, connection: HTTPConnection) -> Principal | None:
        return None if self.public else await self.admit(connection, bearer_token(connection))

    async def admit(self, connection: HTTPConnection, token: str) -> Principal:
        """The caller whose token this is, when the rule lets them in."""
        verifier: TokenVerifier = connection.app.state.verifier
        principal = verifier.recall(token)
        if principal is None:
            principal = await run_in_threadpool(verifier.verify, token)
        self.check(principal)
        return principal

    def check(self, principal: Principal) -> None:
        if self.scope:
            if principal.client_id is None or self.scope not in principal.scopes:
                raise ForbiddenError("This is for services of the platform only.")
        elif principal.client_id is not None:
            raise ForbiddenError("This is for people's accounts, not for services.")
        elif self.roles and not (self.roles & principal.roles) and "admin" not in principal.roles:
            needed = ", ".join(sorted(self.roles))
            raise ForbiddenError(f"This needs one of the roles: {needed}. Ask an administrator.")


class FirstMessageRule(AccessRule):
    """What a WebSocket declares: browsers send no header with one, so its route calls `admit` with the first message's
    token, and says nothing to anybody before.
    """

    async def __call__(self, connection: HTTPConnection) -> Principal | None:
        return None


def bearer_token(connection: HTTPConnection) -> str:
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise UnauthenticatedError
    return token.strip()


ANYONE = AccessRule(public=True)
PEOPLE = AccessRule()
PEOPLE_BY_MESSAGE = FirstMessageRule()


def recall_person(scope: Scope) -> Principal | None:
    """The person of a request, where their token was verified before: for answers that are given without a route."""
    authorization = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
    scheme, _, token = authorization.decode("latin-1").partition(" ")
    verifier: TokenVerifier = scope["app"].state.verifier
    principal = verifier.recall(token.strip()) if scheme.lower() == "bearer" else None
    return principal if principal is not None and principal.client_id is None else None


def people_with(*roles: str) -> AccessRule:
    """People with at least one of `roles`; administrators always."""
    return AccessRule(roles=frozenset(roles))


def services_with(scope: str) -> AccessRule:
    """Our own services whose token carries `scope`."""
    return AccessRule(scope=scope)
