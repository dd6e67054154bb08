"""What happens around every request: its id, its log line, its measurement."""

import re
import time
import uuid
from collections.abc import Callable
from contextvars import ContextVar

import structlog
from django.http import HttpRequest, HttpResponseBase

from microservices.kernel.logs import get_logger
from microservices.kernel.metrics import observe_request

_VALID_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_QUIET = {"/health", "/metrics", "/health/ready"}
request_id_var: ContextVar[str] = ContextVar("request_id", default="")

log = get_logger("requests")


def accept_request_id(given: str | None) -> str:
    """The caller's id when it is harmless in a log line, else a new one."""
    return given if given and _VALID_ID.fullmatch(given) else uuid.uuid4().hex


class RequestContextMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        started = time.perf_counter()
        request_id = accept_request_id(request.headers.get("X-Request-ID"))
        request_id_var.set(request_id)
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        response = self._get_response(request)
        response["X-Request-ID"] = request_id
        _record(request, response.status_code, time.perf_counter() - started)
        return response


def _record(request: HttpRequest, status: int, seconds: float) -> None:
    match = request.resolver_match
    route = f"/{match.route}" if match else "unmatched"
    observe_request(request.method or "", route, status, seconds)
    if request.path not in _QUIET:
        log.info(
            "request",
            method=request.method,
            path=request.path,
            status=status,
            duration_ms=round(seconds * 1000, 2),
        )
