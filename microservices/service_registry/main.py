"""The registry's application: its routes, and beside them the health sweep and the outbox relay."""

import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from fastapi import APIRouter, Depends, FastAPI
from starlette.middleware import Middleware

from microservices.kernel.app import create_app
from microservices.kernel.crypto import FieldCipher
from microservices.kernel.db import Database, utc_now
from microservices.kernel.inbox import events_router
from microservices.kernel.outbox import Relay, relaying
from microservices.kernel.service_tokens import ServiceTokens
from microservices.service_registry.handlers import site_handlers
from microservices.service_registry.logic.assessment import HealthPolicy
from microservices.service_registry.logic.bells import Bell, Ringing, listen_for_rings
from microservices.service_registry.logic.catalogue_cache import CatalogueCache, Part
from microservices.service_registry.logic.checks import HealthChecks
from microservices.service_registry.logic.lead import lead_when_free
from microservices.service_registry.logic.limits import allow_probes
from microservices.service_registry.logic.sweep import HealthSweep, running
from microservices.service_registry.queries.channels import PANELS_CHANGED, SERVICES_CHANGED, SITE_CHECKED, SITE_DUE
from microservices.service_registry.routes import ga4gh, internal, panels, services, watching
from microservices.service_registry.routes.answers import settle_catalogue
from microservices.service_registry.routes.hot_reads import HotReadsMiddleware
from microservices.service_registry.settings import Settings

NAME = "service_registry"


def create() -> FastAPI:
    """For uvicorn's `--factory`: settings from the environment."""
    return build(Settings())


def build(settings: Settings, now: Callable[[], datetime] = utc_now) -> FastAPI:
    """`now` is the clock that checks, long silence and history go by."""
    cipher = FieldCipher.from_setting(settings.encryption_keys.get_secret_value())
    events = APIRouter(dependencies=[Depends(settle_catalogue, scope="function")])
    events.include_router(events_router(site_handlers(cipher)))
    app = create_app(
        NAME,
        settings,
        [services.router, panels.router, ga4gh.router, watching.router, internal.router, events],
        description="The catalogue of imputation sites and reference panels, and the sites' health.",
        lifespan=run_beside,
    )
    app.user_middleware.append(Middleware(HotReadsMiddleware))  # innermost
    app.state.cipher = cipher
    app.state.now = now
    return app


@asynccontextmanager
async def run_beside(app: FastAPI) -> AsyncIterator[None]:
    settings: Settings = app.state.settings
    database: Database = app.state.database
    due, checked = Bell(), Bell()
    cache = app.state.cache = open_cache(settings, database)
    app.state.checks = HealthChecks(database, checked, app.state.now)
    # What has changed is forgotten before anybody is woken who might then ask for it.
    bells: dict[str, Ringing] = {
        SERVICES_CHANGED: CacheBell(cache, "services"),
        PANELS_CHANGED: CacheBell(cache, "panels"),
        SITE_DUE: due,
        SITE_CHECKED: checked,
    }
    listening = listen_for_rings(database, bells, cache.tell_informed)
    leading = lead_when_free(database, lambda: make_sweep(app, due).run())
    try:
        with relaying(database, open_relay(settings, database)):
            async with running(listening, leading):
                yield
    finally:
        await cache.close()


@dataclass
class CacheBell:
    cache: CatalogueCache
    part: Part

    def ring(self) -> None:
        self.cache.expire(self.part)


def open_cache(settings: Settings, database: Database) -> CatalogueCache:
    """Registries of different databases may share a Redis."""
    url = database.engine.url
    namespace = hashlib.sha256(f"{url.host}:{url.port}/{url.database}".encode()).hexdigest()[:12]
    return CatalogueCache(settings.redis_url.get_secret_value(), namespace)


def make_sweep(app: FastAPI, due: Bell) -> HealthSweep:
    settings: Settings = app.state.settings
    return HealthSweep(
        app.state.database,
        due,
        read_policy(settings),
        app.state.now,
        concurrency=allow_probes(settings.probe_concurrency),
        keep_checks=timedelta(days=settings.keep_checks_days),
    )


def read_policy(settings: Settings) -> HealthPolicy:
    return HealthPolicy(
        slow_after_ms=settings.slow_after_ms,
        warn_before=tuple(timedelta(days=days) for days in settings.warn_before_days),
        deactivate_after=timedelta(days=settings.deactivate_after_days),
        reactivate_after=timedelta(seconds=settings.reactivate_after_s),
    )


def open_relay(settings: Settings, database: Database) -> Relay:
    tokens = ServiceTokens(settings.authority_url, NAME, settings.client_secret)
    subscribers = {"job_processor": settings.job_processor_url, "notification": settings.notification_url}
    return Relay(NAME, database, subscribers, tokens.get)
