"""The gateway's application: its own few routes, and the front door around them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib.metadata import version

import redis
from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

from microservices.api_gateway.logic.access_log import AccessLog
from microservices.api_gateway.logic.forwarding import Forwarder
from microservices.api_gateway.logic.interface import Interface
from microservices.api_gateway.logic.merged_schema import MergedSchema
from microservices.api_gateway.logic.rate_limits import RateLimiter
from microservices.api_gateway.logic.sockets import SocketRelay
from microservices.api_gateway.logic.tiers import Tiers
from microservices.api_gateway.logic.upstreams import list_upstreams
from microservices.api_gateway.routes import docs
from microservices.api_gateway.routes.front import Front, Gateway
from microservices.api_gateway.settings import Settings
from microservices.kernel.app import create_app
from microservices.kernel.health import ReadinessCheck

_NAME = "api_gateway"
_ALLOWED_HEADERS = (
    *("Authorization", "Content-Type", "Idempotency-Key", "Range", "X-Content-SHA256", "X-Request-ID"),
    *("Tus-Resumable", "Upload-Checksum", "Upload-Length", "Upload-Metadata", "Upload-Offset"),
)
_EXPOSED_HEADERS = (
    *("Content-Disposition", "ETag", "Location", "RateLimit", "RateLimit-Policy", "Retry-After", "X-Request-ID"),
    *("Tus-Resumable", "Upload-Expires", "Upload-Length", "Upload-Offset"),
)


def create() -> ASGIApp:
    return build(Settings())


def build(settings: Settings) -> ASGIApp:
    """The front door, with the gateway's own application as `.app` behind it."""
    app = create_app(_NAME, settings, [docs.router], lifespan=_run, own_docs=False)
    database = app.state.database
    # It serves without either: with the tiers it knows, counting by itself, the access log waiting in memory.
    app.state.readiness_checks = [
        ReadinessCheck("database", database.ping, required=False),
        ReadinessCheck("redis", _redis_ping(settings), required=False),
    ]
    upstreams = list_upstreams(settings)
    app.state.gateway = Gateway(
        upstreams=upstreams,
        verifier=app.state.verifier,
        tiers=Tiers(settings.anonymous_tier),
        rate_limiter=RateLimiter(settings.redis_url.get_secret_value()),
        access_log=AccessLog(database, keep_days=settings.access_log_days),
        interface=Interface(settings.ui_dir),
    )
    app.state.merged_schema = MergedSchema("ImputeHub", version("imputehub"), upstreams)
    front = Front(app, app.state.gateway)
    return front if not settings.cors_origins else _allow_origins(front, settings.cors_origins)


def _allow_origins(app: ASGIApp, origins: list[str]) -> ASGIApp:
    return CORSMiddleware(
        app,
        allow_origins=origins,
        allow_credentials=True,
        allow_methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
        allow_headers=_ALLOWED_HEADERS,
        expose_headers=_EXPOSED_HEADERS,
    )


@asynccontextmanager
async def _run(app: FastAPI) -> AsyncIterator[None]:
    settings: Settings = app.state.settings
    gateway: Gateway = app.state.gateway
    gateway.forwarder = Forwarder(
        connect_timeout_s=settings.connect_timeout_s,
        idle_timeout_s=settings.idle_timeout_s,
        body_limit=settings.body_limit_bytes,
    )
    gateway.sockets = SocketRelay(connect_timeout_s=settings.connect_timeout_s, most=settings.live_connections)
    background = [
        asyncio.create_task(work)
        for work in (
            gateway.tiers.keep_fresh(app.state.database),
            gateway.rate_limiter.keep_telling(),
            gateway.access_log.keep_writing(),
            gateway.access_log.keep_pruning(),
        )
    ]
    try:
        yield
    finally:
        for task in background:
            task.cancel()
        await asyncio.gather(*background, return_exceptions=True)
        await gateway.access_log.write_waiting()
        await gateway.rate_limiter.close()
        await gateway.sockets.close()
        await gateway.forwarder.close()


def _redis_ping(settings: Settings) -> Callable[[], object]:
    def ping() -> None:
        url = settings.redis_url.get_secret_value()
        with redis.Redis.from_url(url, socket_timeout=1, socket_connect_timeout=1) as client:
            client.ping()

    return ping
