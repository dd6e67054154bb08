"""The HTTP side of file_manager, with its checker in the background."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from anyio import to_thread
from fastapi import FastAPI
from sqlalchemy.exc import SQLAlchemyError

from microservices.file_manager.handlers import HANDLERS
from microservices.file_manager.logic.checking import checking
from microservices.file_manager.logic.engine import Engine, start_engine
from microservices.file_manager.routes import ROUTERS
from microservices.file_manager.settings import Settings
from microservices.kernel.app import create_app
from microservices.kernel.health import ReadinessCheck
from microservices.kernel.inbox import events_router
from microservices.kernel.logs import get_logger
from microservices.kernel.outbox import Relay, relaying

log = get_logger(__name__)


def create() -> FastAPI:
    return build(Settings())


def build(settings: Settings) -> FastAPI:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        engine: Engine = app.state.engine
        relay = Relay("file_manager", engine.database, {"notification": settings.notification_url}, engine.tokens.get)
        await to_thread.run_sync(_announce_presence, engine)
        with relaying(engine.database, relay), checking(engine):
            yield
        engine.jobs.close()

    app = create_app(
        "file_manager",
        settings,
        [*ROUTERS, events_router(HANDLERS)],
        description="Uploads, their checks, and results: bytes with their checksums.",
        checks=[ReadinessCheck("storage", lambda: app.state.engine.storage.ping())],
        lifespan=lifespan,
    )
    app.state.engine = start_engine(settings, app.state.database)
    return app


def _announce_presence(engine: Engine) -> None:
    """Before the first upload, or another process could take it for a dead one's. Without a database nothing can
    be uploaded, and the checker goes on trying."""
    try:
        engine.presence.uphold()
    except SQLAlchemyError as error:
        log.warning("database_away_at_start", error=str(error)[:300])
