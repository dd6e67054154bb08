"""What happens around every request: its id, its log line, its measurement."""

import re
import time
import uuid
from collections.abc import Callable
from contextvars import ContextVar

import structlog
from django.core.exceptions import ValidationError
from django.db import DataError
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect

from microservices.kernel.logs import get_logger
from microservices.kernel.metrics import observe_request

_VALID_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_QUIET = {"/health", "/metrics", "/health/ready"}
_LOOKUP_FAILED = "e"  # Django's own name for it, in addresses of lists
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

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """A list of the admin is narrowed by its address. What the database cannot look for there is answered as
        Django answers other filters that make no sense: with the whole list.
        """
        match = request.resolver_match
        is_list = match is not None and (match.url_name or "").endswith("_changelist")
        if is_list and _LOOKUP_FAILED not in request.GET and _is_unfindable(request, exception):
            return HttpResponseRedirect(f"{request.path}?{_LOOKUP_FAILED}=1")
        return None


def _is_unfindable(request: HttpRequest, exception: Exception) -> bool:
    """NUL characters; numbers and days that no column can hold. Of an action: rows whose ids cannot be ids."""
    if request.method == "POST":
        return isinstance(exception, ValidationError)
    return isinstance(exception, (DataError, OverflowError)) or (
        isinstance(exception, ValueError) and "NUL (0x00)" in str(exception)
    )


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
