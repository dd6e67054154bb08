"""A real HTTP server on a free port of 127.0.0.1 that says what a test tells it to, and remembers what it was asked."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from aiohttp import web

from microservices.backends.base import SiteConnection
from microservices.backends.michigan import MichiganBackend
from microservices.backends.session import Deadlines, open_site_session
from microservices.contracts.curation import ApiConfig

TOKEN = "aaaa.bbbb.cccc"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
RawHandler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class SeenRequest:
    method: str
    path: str
    token: str | None
    headers: dict[str, str]
    query: dict[str, str]


@dataclass
class StubSite:
    """`answer` sets what a path says; unknown paths give the framework's 404."""

    base_url: str = ""
    seen: list[SeenRequest] = field(default_factory=list)
    _handlers: dict[tuple[str, str], Handler] = field(default_factory=dict)

    def answer(self, path: str, document: Any = None, *, method: str = "GET", status: int = 200, **more: Any) -> None:
        """JSON by default; `text`, `headers`, `content_type`, `body` as in aiohttp's response."""

        async def respond(request: web.Request) -> web.StreamResponse:
            await request.read()
            if document is not None:
                return web.json_response(document, status=status, **more)
            return web.Response(status=status, **more)

        self.handle(path, respond, method=method)

    def handle(self, path: str, handler: Handler, *, method: str = "GET") -> None:
        self._handlers[method, path] = handler

    def count(self, path: str) -> int:
        return sum(request.path == path for request in self.seen)

    async def dispatch(self, request: web.Request) -> web.StreamResponse:
        self.seen.append(
            SeenRequest(
                request.method,
                request.path,
                request.headers.get("X-Auth-Token"),
                dict(request.headers),
                dict(request.query),
            )
        )
        handler = self._handlers.get((request.method, request.path))
        return await handler(request) if handler else web.json_response(framework_error("Not Found"), status=404)


@asynccontextmanager
async def run_site() -> AsyncIterator[StubSite]:
    site = StubSite()
    app = web.Application(client_max_size=1024**3)
    app.router.add_route("*", "/{path:.*}", site.dispatch)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        listener = web.TCPSite(runner, "127.0.0.1", 0)
        await listener.start()
        site.base_url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield site
    finally:
        await runner.cleanup()


@asynccontextmanager
async def run_raw_site(handler: RawHandler) -> AsyncIterator[str]:
    """A server below HTTP, for connections that break; gives its address."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await handler(reader, writer)
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


def connect(base_url: str, *, token: str | None = TOKEN, **config: Any) -> SiteConnection:
    settings = {"allow_private_network": True, "connect_timeout_s": 30, "request_timeout_s": 30, **config}
    return SiteConnection(uuid4(), "michigan", base_url, token, api_config=ApiConfig(**settings))


@asynccontextmanager
async def open_michigan(
    base_url: str, *, token: str | None = TOKEN, deadlines: Deadlines | None = None, **config: Any
) -> AsyncIterator[MichiganBackend]:
    connection = connect(base_url, token=token, **config)
    async with open_site_session(connection) as session:
        yield MichiganBackend(connection, session, deadlines)


def framework_error(message: str) -> dict[str, Any]:
    """An error of Cloudgene's framework: no `success`, the useful text inside."""
    return {
        "_links": {"self": [{"href": "/", "templated": False}]},
        "_embedded": {"errors": [{"message": message, "_links": {}, "_embedded": {}, "path": None, "logref": None}]},
        "message": "Request failed",
        "path": None,
        "logref": None,
    }


def own_error(message: str) -> dict[str, Any]:
    return {"message": message, "success": False}
