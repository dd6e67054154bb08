"""The HTTP side of monitoring, with the watch running beside it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from fastapi import FastAPI

from microservices.kernel.app import create_app
from microservices.kernel.outbox import Relay, relaying
from microservices.kernel.service_tokens import PeerClient, ServiceTokens
from microservices.monitoring.logic.watching import Watch
from microservices.monitoring.routes import router
from microservices.monitoring.settings import Settings

_PATIENCE_S = 3


def create() -> FastAPI:
    return build(Settings())


def build(settings: Settings) -> FastAPI:
    app = create_app(
        "monitoring", settings, [router], description="How the platform is, for its operators.", lifespan=_watch
    )
    tokens = ServiceTokens(settings.authority_url, "monitoring", settings.client_secret)
    app.state.registry = PeerClient("service_registry", settings.service_registry_url, tokens, timeout_s=_PATIENCE_S)
    app.state.notification = PeerClient("notification", settings.notification_url, tokens, timeout_s=_PATIENCE_S)
    return app


@asynccontextmanager
async def _watch(app: FastAPI) -> AsyncIterator[None]:
    database, notification = app.state.database, app.state.notification
    relay = Relay("monitoring", database, {"notification": notification.base_url}, notification.tokens.get)
    with relaying(database, relay):
        watch = asyncio.create_task(Watch(database, app.state.settings, notification).run())
        try:
            yield
        finally:
            watch.cancel()
            with suppress(asyncio.CancelledError):
                await watch
            app.state.registry.close()
            notification.close()
