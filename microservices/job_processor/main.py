"""The HTTP side of job_processor."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import redis
from fastapi import FastAPI
from starlette.middleware import Middleware

from microservices.job_processor import archive, oversight, quotas, routes, templates
from microservices.job_processor.handlers import HANDLERS
from microservices.job_processor.hints import Hints, hinting
from microservices.job_processor.hot_reads import HotReadsMiddleware, Readers
from microservices.job_processor.peers import Peers
from microservices.job_processor.settings import Settings
from microservices.job_processor.tasks import ROUTES
from microservices.kernel.app import create_app
from microservices.kernel.crypto import FieldCipher
from microservices.kernel.health import ReadinessCheck
from microservices.kernel.inbox import events_router
from microservices.kernel.outbox import Relay, relaying
from microservices.kernel.tasks import create_celery


def create() -> FastAPI:
    return build(Settings())


def build(settings: Settings) -> FastAPI:
    peers = Peers(settings)
    broker = redis.Redis.from_url(settings.broker_url.get_secret_value(), socket_timeout=2, socket_connect_timeout=2)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        subscribers = {"notification": settings.notification_url, "file_manager": settings.files_url}
        relay = Relay("job_processor", app.state.database, subscribers, peers.tokens.get)
        with relaying(app.state.database, relay), hinting(app.state.hints):
            yield
        peers.close()
        await peers.archives.aclose()

    app = create_app(
        "job_processor",
        settings,
        [
            quotas.router,
            routes.router,
            routes.internal,
            archive.router,
            templates.router,
            oversight.router,
            events_router(HANDLERS),
        ],
        description="Imputation jobs: one input, one or many targets, each target its own run.",
        # Without the broker jobs are accepted all the same: the sweep finds them when it is back.
        checks=[ReadinessCheck("broker", broker.ping, required=False)],
        lifespan=lifespan,
    )
    app.user_middleware.append(Middleware(HotReadsMiddleware))  # innermost
    app.state.readers = Readers(app.state.database)
    app.state.peers = peers
    app.state.cipher = FieldCipher.from_setting(settings.encryption_keys.get_secret_value())
    celery = create_celery(
        "job_processor", settings.broker_url.get_secret_value(), log_level=settings.log_level, beat={}, routes=ROUTES
    )
    app.state.hints = Hints(celery)
    return app
