"""Access tokens of the platform, and the one right that curation needs."""

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

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
    return TokenVerifier(f"{settings.ENVIRONMENT.authority_url}/.well-known/jwks.json")


@dataclass(frozen=True)
class Caller:
    """The verified caller, in the place where REST framework expects a user."""

    principal: Principal
    is_authenticated: bool = True


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
