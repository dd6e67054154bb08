"""The HTTP side of notification, and its live channel."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from fastapi import FastAPI

from microservices.kernel.app import create_app
from microservices.kernel.inbox import events_router
from microservices.notification.handlers import HANDLERS
from microservices.notification.logic.live_hub import Hub
from microservices.notification.logic.live_listener import LiveListener, listening
from microservices.notification.logic.origins import list_origins
from microservices.notification.routes import figures, live, notifications
from microservices.notification.settings import Settings


def create() -> FastAPI:
    return build(Settings())


def build(settings: Settings) -> FastAPI:
    app = create_app(
        "notification",
        settings,
        [notifications.router, live.router, figures.router, events_router(HANDLERS)],
        description="What people are told about their files and jobs.",
        lifespan=_listen,
    )
    app.state.allowed_origins = list_origins(settings.public_url, settings.allowed_origins)
    app.state.hub = Hub(
        room=settings.live_queue,
        most_per_person=settings.live_connections_per_person,
        revoked=app.state.verifier.revoked,
    )
    return app


@asynccontextmanager
async def _listen(app: FastAPI) -> AsyncIterator[None]:
    settings: Settings = app.state.settings
    loop = asyncio.get_running_loop()
    hub: Hub = app.state.hub
    app.state.verifier.revoked.listen(lambda ended: loop.call_soon_threadsafe(hub.end_sessions, ended))
    listener = LiveListener(app.state.database, hub, loop, timedelta(days=settings.live_days))
    with listening(listener):
        yield
