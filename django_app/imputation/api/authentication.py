"""Access tokens of the platform, and the one right that curation needs."""

from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING

import httpx
from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from microservices.kernel.auth import Principal, TokenVerifier, people_with
from microservices.kernel.errors import UnauthenticatedError

if TYPE_CHECKING:
    from rest_framework.views import APIView  # which imports this module by its settings

CURATORS = people_with("curator")


@cache
def get_verifier() -> TokenVerifier:
    verifier = TokenVerifier(f"{settings.ENVIRONMENT.authority_url}/.well-known/jwks.json")
    if redis_url := settings.ENVIRONMENT.redis_url.get_secret_value():
        verifier.follow_revocations(redis_url)
    return verifier


@dataclass(frozen=True)
class Caller:
    """The verified caller, in the place where REST framework expects a user."""

    principal: Principal
    is_authenticated: bool = True

    def get_username(self) -> str:
        """The e-mail address, for the history; the account's id when user_service does not tell it."""
        try:
            return ask_email(self.principal.token)
        except (httpx.HTTPError, LookupError, TypeError, ValueError):
            return f"user {self.principal.subject}"


@lru_cache(maxsize=1000)
def ask_email(token: str) -> str:
    """Whose token it is; raises when user_service does not tell within a second."""
    headers = {"Authorization": f"Bearer {token}"}
    answer = httpx.get(
        f"{settings.ENVIRONMENT.authority_url}/api/v1/users/me", headers=headers, timeout=1, trust_env=False
    )
    return str(answer.raise_for_status().json()["email"])


class BearerAuthentication(BaseAuthentication):
    def authenticate(self, request: Request) -> tuple[Caller, Principal]:
        """Raises `UnauthenticatedError`; `DependencyUnavailableError` when no keys have ever been had."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise UnauthenticatedError
        principal = get_verifier().verify(token.strip())
        return Caller(principal), principal

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


def principal_of(request: Request) -> Principal:
    """The caller of an authenticated request."""
    principal = request.auth
    if not isinstance(principal, Principal):
        raise UnauthenticatedError
    return principal


class IsCurator(BasePermission):
    """Curators and administrators; raises `ForbiddenError` for everyone else, services included."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        CURATORS.check(principal_of(request))
        return True


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = BearerAuthentication
    name = "bearer"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
