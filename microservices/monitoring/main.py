"""The HTTP side of monitoring, with the watch running beside it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from fastapi import FastAPI

from microservices.kernel.app import create_app
from microservices.kernel.service_tokens import PeerClient, ServiceTokens
from microservices.monitoring.logic.watching import watch_services
from microservices.monitoring.routes import router
from microservices.monitoring.settings import Settings

_REGISTRY_TIMEOUT_S = 3


def create() -> FastAPI:
    return build(Settings())


def build(settings: Settings) -> FastAPI:
    app = create_app(
        "monitoring", settings, [router], description="How the platform is, for its operators.", lifespan=_watch
    )
    tokens = ServiceTokens(settings.authority_url, "monitoring", settings.client_secret)
    app.state.registry = PeerClient(
        "service_registry", settings.service_registry_url, tokens, timeout_s=_REGISTRY_TIMEOUT_S
    )
    return app


@asynccontextmanager
async def _watch(app: FastAPI) -> AsyncIterator[None]:
    watch = asyncio.create_task(watch_services(app.state.database, app.state.settings))
    try:
        yield
    finally:
        watch.cancel()
        with suppress(asyncio.CancelledError):
            await watch
        app.state.registry.close()
