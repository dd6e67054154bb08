"""What happens around every request: its id, its log line, its measurement, and the last net for errors."""

import random
import re
import time
from contextvars import ContextVar

import structlog
from starlette.datastructures import MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from microservices.kernel.errors import ServiceError
from microservices.kernel.logs import get_logger
from microservices.kernel.metrics import observe_request

_VALID_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_QUIET = {"/health", "/metrics", "/health/ready"}
_random = random.Random()  # noqa: S311  (a name, not a secret; a UUID4 asks the kernel and costs ten times as much)
request_id_var: ContextVar[str] = ContextVar("request_id", default="")

log = get_logger("requests")


def accept_request_id(given: str | None) -> str:
    """The caller's id when it is harmless in a log line, else a new one."""
    return given if given and _VALID_ID.fullmatch(given) else f"{_random.getrandbits(128):032x}"


class RequestContextMiddleware:
    """Plain ASGI, since BaseHTTPMiddleware costs more than all the rest of a request."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        request_id = accept_request_id(headers.get(b"x-request-id", b"").decode("latin-1"))
        request_id_var.set(request_id)
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        await self._serve(scope, receive, send, request_id)

    async def _serve(self, scope: Scope, receive: Receive, send: Send, request_id: str) -> None:
        started = time.perf_counter()
        status = 500
        answering = False

        async def send_with_id(message: Message) -> None:
            nonlocal status, answering
            if message["type"] == "http.response.start":
                status, answering = message["status"], True
                MutableHeaders(scope=message)["X-Request-ID"] = request_id
            await send(message)

        try:
            await self.app(scope, receive, send_with_id)
        except Exception:
            log.exception("request_failed", method=scope["method"], path=scope["path"])
            if answering:
                raise
            await problem_response(ServiceError(), request_id)(scope, receive, send_with_id)
        finally:
            _record(scope, status, time.perf_counter() - started)


def _record(scope: Scope, status: int, seconds: float) -> None:
    route = getattr(scope.get("route"), "path", "unmatched")
    observe_request(scope["method"], route, status, seconds)
    if scope["path"] not in _QUIET:
        log.info(
            "request",
            method=scope["method"],
            path=scope["path"],
            status=status,
            duration_ms=round(seconds * 1000, 2),
        )


def problem_response(error: ServiceError, request_id: str) -> JSONResponse:
    return JSONResponse(
        error.to_problem(request_id),
        status_code=error.status,
        headers=error.headers,
        media_type="application/problem+json",
    )
