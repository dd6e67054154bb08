"""The HTTP side of notification, and its live channel."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial

from fastapi import FastAPI
from pydantic import TypeAdapter

from microservices.contracts.registry import SERVICE_HEALTH_CHANGED
from microservices.contracts.user_service import PersonRecord
from microservices.kernel.app import create_app
from microservices.kernel.inbox import events_router
from microservices.kernel.service_tokens import PeerClient, ServiceTokens
from microservices.notification.handlers import HANDLERS, telling_health
from microservices.notification.logic.live_hub import Hub
from microservices.notification.logic.live_listener import LiveListener, listening
from microservices.notification.logic.origins import list_origins
from microservices.notification.routes import figures, live, notifications
from microservices.notification.settings import Settings

_NAME = "notification"
_PEOPLE = TypeAdapter(list[PersonRecord])


def create() -> FastAPI:
    return build(Settings())


def build(settings: Settings) -> FastAPI:
    people = PeerClient(
        "user_service", settings.authority_url, ServiceTokens(settings.authority_url, _NAME, settings.client_secret)
    )
    handlers = {**HANDLERS, SERVICE_HEALTH_CHANGED: telling_health(partial(list_people, people))}
    app = create_app(
        _NAME,
        settings,
        [notifications.router, live.router, figures.router, events_router(handlers)],
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


def list_people(user_service: PeerClient, role: str) -> list[PersonRecord]:
    return _PEOPLE.validate_python(user_service.call("GET", "/internal/people", params={"role": role}))


@asynccontextmanager
async def _listen(app: FastAPI) -> AsyncIterator[None]:
    settings: Settings = app.state.settings
    loop = asyncio.get_running_loop()
    hub: Hub = app.state.hub
    app.state.verifier.revoked.listen(lambda ended: loop.call_soon_threadsafe(hub.end_sessions, ended))
    listener = LiveListener(app.state.database, hub, loop, timedelta(days=settings.live_days))
    with listening(listener):
        yield
