"""The site as one web application."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from sandbox.cloudgene.control import Control, read_key
from sandbox.cloudgene.database import open_database
from sandbox.cloudgene.engine import JobEngine
from sandbox.cloudgene.errors import FrameworkError, answer_framework_error, install_handlers
from sandbox.cloudgene.routes import control, jobs, results, server, users
from sandbox.cloudgene.settings import SiteSettings
from sandbox.cloudgene.site import Site, find_caller
from sandbox.cloudgene.tokens import read_secret
from sandbox.engine.choice import choose_engine


def create_app(settings: SiteSettings) -> FastAPI:
    """Makes the data folder where it is missing; raises EngineError for an engine that is not there."""
    choose_engine(settings.engine)
    for folder in (settings.jobs_folder, settings.panels_folder):
        folder.mkdir(parents=True, exist_ok=True)
    app = FastAPI(title=settings.name, docs_url=None, redoc_url=None, openapi_url=None, lifespan=run_engine)
    app.state.settings = settings
    app.state.control = Control(read_key(settings.data_dir / "control.key"))
    install_handlers(app)
    for module in (server, users, jobs, results, control):
        app.include_router(module.router)
    app.add_exception_handler(HTTPException, refuse_request)
    return app


@contextlib.asynccontextmanager
async def run_engine(app: FastAPI) -> AsyncIterator[None]:
    """The slots work as long as the site is up; what still runs at the end is killed."""
    settings: SiteSettings = app.state.settings
    database = open_database(settings.data_dir / "site.sqlite3")
    engine = JobEngine(settings, database, app.state.control)
    app.state.site = Site(settings, database, read_secret(settings.data_dir / "token.key"), engine)
    slots = [asyncio.create_task(engine.work()) for _ in range(settings.slots)]
    yield
    for slot in slots:
        slot.cancel()
    engine.stop()
    await asyncio.gather(*slots, return_exceptions=True)
    database.close()


async def refuse_request(request: Request, error: Exception) -> JSONResponse:
    """What the router refuses; an unknown address of the API is 401 for a stranger."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    if status == 404 and request.url.path.startswith("/api/") and find_caller(request) is None:
        status = 401
    return answer_framework_error(request, FrameworkError(status))
