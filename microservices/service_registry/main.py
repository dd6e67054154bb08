"""The registry's application: its routes, and beside them the health sweep and the outbox relay."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from fastapi import FastAPI

from microservices.kernel.app import create_app
from microservices.kernel.crypto import FieldCipher
from microservices.kernel.db import Database
from microservices.kernel.inbox import events_router
from microservices.kernel.outbox import Relay, relaying
from microservices.kernel.service_tokens import ServiceTokens
from microservices.service_registry.handlers import site_handlers
from microservices.service_registry.logic.assessment import HealthPolicy
from microservices.service_registry.logic.bells import Bell, listen_for_rings
from microservices.service_registry.logic.sweep import HealthSweep, running
from microservices.service_registry.queries.probes import SITE_CHECKED, SITE_DUE
from microservices.service_registry.routes import internal, panels, services
from microservices.service_registry.settings import Settings

NAME = "service_registry"


def create() -> FastAPI:
    """For uvicorn's `--factory`: settings from the environment."""
    return build(Settings())


def build(settings: Settings) -> FastAPI:
    cipher = FieldCipher.from_setting(settings.encryption_keys.get_secret_value())
    app = create_app(
        NAME,
        settings,
        [services.router, panels.router, internal.router, events_router(site_handlers(cipher))],
        description="The catalogue of imputation sites and reference panels, and the sites' health.",
        lifespan=run_beside,
    )
    app.state.cipher = cipher
    return app


@asynccontextmanager
async def run_beside(app: FastAPI) -> AsyncIterator[None]:
    settings: Settings = app.state.settings
    database: Database = app.state.database
    due, app.state.checked = Bell(), Bell()
    sweep = HealthSweep(
        database,
        due,
        read_policy(settings),
        concurrency=settings.probe_concurrency,
        keep_history=timedelta(days=settings.keep_history_days),
    )
    bells = {SITE_DUE: due, SITE_CHECKED: app.state.checked}
    with relaying(database, open_relay(settings, database)):
        async with running(listen_for_rings(database, bells), sweep.run()):
            yield


def read_policy(settings: Settings) -> HealthPolicy:
    return HealthPolicy(
        slow_after_ms=settings.slow_after_ms,
        warn_after=timedelta(days=settings.warn_after_days),
        deactivate_after=timedelta(days=settings.deactivate_after_days),
    )


def open_relay(settings: Settings, database: Database) -> Relay:
    tokens = ServiceTokens(settings.authority_url, NAME, settings.client_secret)
    return Relay(NAME, database, {"notification": settings.notification_url}, tokens.get)
