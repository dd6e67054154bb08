"""The front door: plain ASGI before the framework's routing, because each request of the platform goes through it."""

import asyncio
import re
from collections.abc import Coroutine
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from microservices.api_gateway.errors import AddressTooLongError, HeadersTooLargeError, RateLimitedError
from microservices.api_gateway.logic.access_log import AccessLog
from microservices.api_gateway.logic.forwarding import Forwarder
from microservices.api_gateway.logic.interface import Interface, InterfaceFile
from microservices.api_gateway.logic.passage import ClientGoneError, Passage
from microservices.api_gateway.logic.rate_limits import RateLimiter, Verdict, name_address
from microservices.api_gateway.logic.sockets import SocketRelay
from microservices.api_gateway.logic.tiers import ADMIN_PAGES, Tier, Tiers
from microservices.api_gateway.logic.upstreams import Upstream, find_socket_upstream, find_upstream
from microservices.kernel.auth import TokenVerifier
from microservices.kernel.errors import HttpError, NotFoundError, ServiceError
from microservices.kernel.logs import get_logger
from microservices.kernel.metrics import observe_request
from microservices.kernel.requests import problem_response

OWN_PATHS = frozenset({b"/health", b"/health/ready", b"/docs", b"/openapi.json"})
_METRICS = b"/metrics"
# Asked every second, and told by the metrics: nobody wants a row for each.
_PROBES = frozenset({b"/health", b"/health/ready", _METRICS})
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_MOST_HEADERS = 100
_MOST_HEADER_BYTES = 32 * 1024
_MOST_ADDRESS_BYTES = 8 * 1024
# What is written with a code could be the log-in page too; no page of ours is.
_ADMIN_PAGE = re.compile(rb"/admin/(?!login)[^%]*$")
_DOWNLOAD = re.compile(rb"/api/v1/(?:files/[^/]+/content|jobs/[^/]+/results/archive)")

log = get_logger(__name__)


class Gateway:
    """What the front door works with; `forwarder` and `sockets` are there once the event loop runs."""

    def __init__(
        self,
        *,
        upstreams: dict[str, Upstream],
        verifier: TokenVerifier,
        tiers: Tiers,
        rate_limiter: RateLimiter,
        access_log: AccessLog,
        interface: Interface,
    ) -> None:
        self.upstreams = upstreams
        self.verifier = verifier
        self.tiers = tiers
        self.rate_limiter = rate_limiter
        self.access_log = access_log
        self.interface = interface
        self.forwarder: Forwarder
        self.sockets: SocketRelay


class Front:
    """Stands before the gateway's own application: passes on what is for a service, hands over what is its own.

    It is not the application's middleware, since the framework's own layers would stand before that.
    """

    def __init__(self, app: ASGIApp, gateway: Gateway) -> None:
        self.app = app
        self._gateway = gateway

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            passage = Passage(scope, receive, send)
            await self._attend(passage, self._serve(passage))
        elif scope["type"] == "websocket":
            passage = Passage({**scope, "method": "GET"}, receive, _answer_handshake(send))
            await self._attend(passage, self._connect(passage, send))
        else:
            await self.app(scope, receive, send)

    async def _attend(self, passage: Passage, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except ServiceError as error:
            await _refuse(passage, error)
        except ClientGoneError:
            passage.gone = True
        except asyncio.CancelledError:
            if not passage.gone:
                raise
            asyncio.current_task().uncancel()  # type: ignore[union-attr]
        except Exception:
            log.exception("request_failed", request_id=passage.request_id, method=passage.method)
            await _refuse(passage, ServiceError())
        finally:
            passage.close()
            if passage.raw_path not in _PROBES:
                self._gateway.access_log.add(passage.to_row())
            if passage.scope["type"] == "http" and not _is_own(passage):
                method = passage.method if passage.method in _METHODS else "OTHER"
                observe_request(method, passage.upstream or "gateway", passage.final_status, passage.duration_s)

    async def _serve(self, passage: Passage) -> None:
        problem = _find_excess(passage) or await self._identify(passage)
        page = None if problem else await self._find_page(passage)
        verdict = await self._judge(passage, counts=page is None and _counts(passage))
        passage.added_headers += verdict.headers
        if not verdict.allowed:
            tier = self._tier_of(passage)
            raise RateLimitedError(
                limit=tier.requests or 0, window_s=tier.window_s, retry_after_s=verdict.retry_after_s
            )
        if problem is not None:
            raise problem
        upstream = find_upstream(passage.raw_path, self._gateway.upstreams)
        if upstream is not None:
            await self._gateway.forwarder.forward(passage, upstream)
        elif _is_own(passage):
            await self._answer_ourselves(passage)
        elif page is not None:
            await _show(passage, page)
        else:
            raise NotFoundError("There is nothing at this address. /docs lists what there is.")

    async def _connect(self, passage: Passage, send: Send) -> None:
        """A WebSocket. It is not counted: who calls is known to the service alone, once the first message is there."""
        if excess := _find_excess(passage):
            raise excess
        upstream = find_socket_upstream(passage.raw_path, self._gateway.upstreams)
        if upstream is None:
            raise NotFoundError("There is no WebSocket at this address.")
        await self._gateway.sockets.relay(passage, upstream, send)

    async def _find_page(self, passage: Passage) -> InterfaceFile | None:
        if passage.method not in ("GET", "HEAD") or passage.raw_path.startswith((b"/api/", b"/admin/")):
            return None
        return await self._gateway.interface.find(passage.raw_path)

    async def _identify(self, passage: Passage) -> ServiceError | None:
        """Who calls, when they say so. A bad token is the answer, but not before it has been counted."""
        authorization = passage.headers.get(b"authorization", b"")
        if authorization[:7].lower() != b"bearer ":
            return None
        token = authorization[7:].strip().decode("latin-1")
        verifier = self._gateway.verifier
        try:
            passage.principal = verifier.recall(token) or await run_in_threadpool(verifier.verify, token)
        except ServiceError as problem:
            return problem
        return None

    async def _judge(self, passage: Passage, *, counts: bool) -> Verdict:
        principal = passage.principal
        subject = f"account:{principal.subject}" if principal else name_address(passage.address)
        return await self._gateway.rate_limiter.judge(subject, self._tier_of(passage), counts=counts)

    def _tier_of(self, passage: Passage) -> Tier:
        """Whose cookie Django knows is not known here, and a made-up one costs nothing: so the pages of its admin are
        counted by address too, but more are allowed, and apart. Its log-in page is as any other.
        """
        tiers = self._gateway.tiers
        if passage.principal:
            return tiers.find(passage.principal.tier)
        return tiers.find(ADMIN_PAGES) if _ADMIN_PAGE.match(passage.raw_path) else tiers.anonymous

    async def _answer_ourselves(self, passage: Passage) -> None:
        MutableHeaders(scope=passage.scope)["X-Request-ID"] = passage.request_id
        await self.app(passage.scope, passage.receive, passage.send)


def _find_excess(passage: Passage) -> ServiceError | None:
    """What is wrong with the request's head; like a bad token it is told after it has been counted."""
    scope, headers = passage.scope, passage.scope["headers"]
    if passage.method not in _METHODS:
        return HttpError(405, "This method is not known here", {"Allow": ", ".join(sorted(_METHODS))})
    if len(passage.raw_path) + len(scope["query_string"]) > _MOST_ADDRESS_BYTES:
        return AddressTooLongError(f"An address may have {_MOST_ADDRESS_BYTES} bytes at most.")
    if len(headers) > _MOST_HEADERS or sum([len(name) + len(value) for name, value in headers]) > _MOST_HEADER_BYTES:
        return HeadersTooLargeError(f"Send {_MOST_HEADERS} headers and {_MOST_HEADER_BYTES} bytes of them at most.")
    return None


def _counts(passage: Passage) -> bool:
    """Static files, parts of uploads and downloads do not count; nor do the gateway's own pages and health."""
    path = passage.raw_path
    if passage.method == "PATCH":
        return not path.startswith(b"/api/v1/files/uploads/")
    if passage.method in ("GET", "HEAD"):
        return not (path.startswith(b"/admin/static/") or _is_own(passage) or _DOWNLOAD.fullmatch(path))
    return True


def _is_own(passage: Passage) -> bool:
    """Is it for the gateway's own application? Its metrics are for our monitoring; for others they do not exist."""
    if passage.raw_path != _METRICS:
        return passage.raw_path in OWN_PATHS
    return passage.principal is not None and "monitoring:read" in passage.principal.scopes


async def _show(passage: Passage, page: InterfaceFile) -> None:
    wanted = (passage.headers.get(name, b"") for name in (b"accept-encoding", b"if-none-match"))
    status, headers, body = page.answer(*wanted)
    await passage.start(status, headers)
    await passage.finish(b"" if passage.method == "HEAD" else body)


def _answer_handshake(send: Send) -> Send:
    """Before a WebSocket is accepted, it is refused as any request is (an extension of ASGI that uvicorn has)."""

    async def send_denial(message: Message) -> None:
        await send({**message, "type": f"websocket.{message['type']}"})

    return send_denial


async def _refuse(passage: Passage, error: ServiceError) -> None:
    """A problem document; nothing when an answer has begun, and then the server closes the connection."""
    if passage.started:
        return
    response = problem_response(error, passage.request_id)
    await passage.start(response.status_code, list(response.raw_headers))
    await passage.finish(b"" if passage.method == "HEAD" else bytes(response.body))
