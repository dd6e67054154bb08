"""Which service answers for which address: a list of what is let in; all else does not exist."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from microservices.api_gateway.settings import Settings

_ROUTES = {
    "/api/v1/auth": "user_service",
    "/api/v1/users": "user_service",
    "/api/v1/audit-logs": "user_service",
    "/api/v1/services": "service_registry",
    "/api/v1/panels": "service_registry",
    "/api/v1/jobs": "job_processor",
    "/api/v1/job-templates": "job_processor",
    "/api/v1/files": "file_manager",
    "/api/v1/notifications": "notification",
    "/api/v1/monitoring": "monitoring",
    "/api/v1/stats": "monitoring",
    "/api/v1/curation": "django",
    "/admin": "django",
    "/ga4gh": "service_registry",
}
_JWKS = "/.well-known/jwks.json"
_SOCKETS = {b"/api/v1/events": "notification"}

# No empty segment, none that is `.` or `..`, and nothing encoded that would mean something else once decoded:
# a service that decodes (or decodes twice) must see the path that was judged here.
_PLAIN_PATH = re.compile(rb"(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9\-._~!$&'()*+,;=:@%]+)*/?")
_TRICKY_CODE = re.compile(rb"%(?:2[ef5]|5c|7f|[01][0-9a-f]|(?![0-9a-f]{2}))", re.IGNORECASE)


@dataclass(frozen=True)
class Upstream:
    """One service behind the gateway; with `limits_body`, what it is sent is JSON and of moderate size."""

    name: str
    base_url: str
    limits_body: bool = True


def list_upstreams(settings: Settings) -> dict[str, Upstream]:
    upstreams = [
        Upstream("user_service", settings.authority_url),
        Upstream("service_registry", settings.service_registry_url),
        Upstream("job_processor", settings.job_processor_url),
        Upstream("file_manager", settings.file_manager_url, limits_body=False),
        Upstream("notification", settings.notification_url),
        Upstream("monitoring", settings.monitoring_url),
        Upstream("django", settings.django_url),
    ]
    return {upstream.name: upstream for upstream in upstreams}


def find_upstream(raw_path: bytes, upstreams: Mapping[str, Upstream]) -> Upstream | None:
    """The service that answers for a path as it came over the wire; None for what is not let in."""
    if not is_plain(raw_path):
        return None
    path = raw_path.decode("ascii")
    if path == _JWKS:
        return upstreams["user_service"]
    parts = path.split("/", 4)
    prefix = "/".join(parts[:4]) if path.startswith("/api/") else "/".join(parts[:2])
    name = _ROUTES.get(prefix)
    return upstreams[name] if name else None


def find_socket_upstream(raw_path: bytes, upstreams: Mapping[str, Upstream]) -> Upstream | None:
    """The service that a WebSocket at this path is for."""
    name = _SOCKETS.get(raw_path)
    return upstreams[name] if name else None


def is_plain(raw_path: bytes) -> bool:
    """Does the path mean the same to everybody who reads it?"""
    return bool(_PLAIN_PATH.fullmatch(raw_path)) and not (b"%" in raw_path and _TRICKY_CODE.search(raw_path))


def is_let_in(path: str) -> bool:
    """For the merged docs: is this path of a service's schema one that people can reach? `{id}` counts as a segment."""
    plain = re.sub(r"\{[^}]*\}", "x", path).encode()
    return find_upstream(plain, _ANY) is not None


_ANY = {name: Upstream(name, "") for name in {*_ROUTES.values()}}
