"""Errors that reach people, as RFC 9457 problem documents.

The exception class owns its status and its stable code; logic raises it, and one handler here writes it out.
"""

from collections.abc import Mapping, Sequence
from typing import Any


class ServiceError(Exception):
    """An error with an HTTP meaning. `detail` tells the person what is wrong and what to do next."""

    status: int = 500
    code: str = "internal_error"
    title: str = "Something went wrong on our side"

    def __init__(
        self,
        detail: str = "",
        *,
        errors: Sequence[Mapping[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        code: str | None = None,
    ) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.errors = list(errors)
        self.headers = dict(headers or {})
        self.problem_code = code or self.code

    def to_problem(self, request_id: str) -> dict[str, Any]:
        problem: dict[str, Any] = {
            "type": f"urn:imputehub:problem:{self.problem_code}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "code": self.problem_code,
            "request_id": request_id,
        }
        if self.errors:
            problem["errors"] = self.errors
        return problem


_WHAT_TO_DO = {
    400: "The body cannot be read. Send it as its Content-Type says, in UTF-8 and not compressed.",
    404: "There is nothing at this address. /docs lists what there is.",
    405: "This address does not take this method; the header Allow names those that it takes.",
}


class HttpError(ServiceError):
    """What the framework itself refuses: an unknown path, a method that a path does not have, …"""

    def __init__(self, status: int, title: str, headers: Mapping[str, str] | None = None) -> None:
        codes = {400: "invalid_input", 404: "not_found", 405: "method_not_allowed", 415: "unsupported_media_type"}
        super().__init__(_WHAT_TO_DO.get(status, title), headers=headers, code=codes.get(status, "http_error"))
        self.status = status
        self.title = title


class InvalidInputError(ServiceError):
    status, code, title = 400, "invalid_input", "The request is not valid"


class UnauthenticatedError(ServiceError):
    status, code, title = 401, "unauthenticated", "Log in first"

    def __init__(self, detail: str = "Send a valid access token in the Authorization header.") -> None:
        super().__init__(detail, headers={"WWW-Authenticate": "Bearer"})


class ForbiddenError(ServiceError):
    status, code, title = 403, "forbidden", "Your account may not do this"


class NotFoundError(ServiceError):
    """Also for what belongs to somebody else: that it exists is nobody's business."""

    status, code, title = 404, "not_found", "Not found"


class ConflictError(ServiceError):
    status, code, title = 409, "conflict", "This cannot be done in the present state"


class TooLargeError(ServiceError):
    status, code, title = 413, "too_large", "Too large"


class DependencyUnavailableError(ServiceError):
    """Another part of the platform does not answer; nothing was changed, and trying again later is right."""

    status, code, title = 503, "dependency_unavailable", "A part of the platform does not answer"

    def __init__(self, detail: str, *, retry_after_s: int = 5) -> None:
        super().__init__(detail, headers={"Retry-After": str(retry_after_s)})


class UpstreamRefusedError(ServiceError):
    """Another part of the platform refused a request of ours: a fault of the platform, never of the client."""

    status, code, title = 502, "upstream_refused", "A part of the platform refused a request"
