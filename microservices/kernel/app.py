"""The one way in which a service becomes a FastAPI application."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib.metadata import version
from typing import Any

import anyio.to_thread
from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException

from microservices.kernel import health
from microservices.kernel.auth import TokenVerifier
from microservices.kernel.db import Database
from microservices.kernel.errors import DependencyUnavailableError, HttpError, InvalidInputError, ServiceError
from microservices.kernel.garbage import calm_collector
from microservices.kernel.health import ReadinessCheck
from microservices.kernel.logs import configure_logs, get_logger
from microservices.kernel.requests import RequestContextMiddleware, problem_response, request_id_var
from microservices.kernel.revocations import following
from microservices.kernel.settings import ServiceSettings

log = get_logger(__name__)

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def create_app(
    name: str,
    settings: ServiceSettings,
    routers: Sequence[APIRouter],
    *,
    description: str = "",
    checks: Sequence[ReadinessCheck] = (),
    lifespan: Lifespan | None = None,
    own_docs: bool = True,
) -> FastAPI:
    """A service's application with its database, token verifier, health, metrics, errors, request ids and logs.

    `name` is the service's folder. `lifespan` runs inside the application's own; `app.state` then has `settings`,
    `database` and `verifier`. Without `own_docs`, `/docs` and `/openapi.json` are the service's to define.
    """
    configure_logs(name, settings.log_level)
    app = FastAPI(
        title=name,
        version=version("imputehub"),
        description=description,
        lifespan=_wrap_lifespan(lifespan),
        redirect_slashes=False,
        openapi_url="/openapi.json" if own_docs else None,
    )
    database = Database(
        settings.database_url.get_secret_value(), pool_size=settings.database_pool_size, application_name=name
    )
    app.state.settings = settings
    app.state.database = database
    app.state.verifier = TokenVerifier(f"{settings.authority_url}/.well-known/jwks.json")
    app.state.readiness_checks = [ReadinessCheck("database", database.ping), *checks]
    app.include_router(health.router)
    for router in routers:
        app.include_router(router)
    _install_error_handlers(app)
    app.add_middleware(RequestContextMiddleware)
    return app


def _wrap_lifespan(inner: Lifespan | None) -> Lifespan:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        # As many threads as connections: more would only wait for one another inside the pool.
        anyio.to_thread.current_default_thread_limiter().total_tokens = app.state.database.pool_size
        calm_collector()
        try:
            with following(app.state.verifier.revoked, app.state.settings.redis_url.get_secret_value()):
                if inner is None:
                    yield
                else:
                    async with inner(app):
                        yield
        finally:
            app.state.database.dispose()

    return lifespan


def _install_error_handlers(app: FastAPI) -> None:
    @app.exception_handler(ServiceError)
    async def answer_service_error(_request: Request, error: ServiceError) -> JSONResponse:
        return problem_response(error, request_id_var.get())

    @app.exception_handler(RequestValidationError)
    async def answer_invalid(_request: Request, error: RequestValidationError) -> JSONResponse:
        return problem_response(explain_validation(error), request_id_var.get())

    # A database that is away, or has no connection free in time: nothing was changed, and later is right.
    @app.exception_handler(OperationalError)
    @app.exception_handler(PoolTimeoutError)
    async def answer_database_away(_request: Request, error: Exception) -> JSONResponse:
        log.warning("database_away", error=str(error).splitlines()[0][:300])
        away = DependencyUnavailableError("The service's database does not answer. Try again in a few seconds.")
        return problem_response(away, request_id_var.get())

    @app.exception_handler(HTTPException)
    async def answer_http(_request: Request, error: HTTPException) -> JSONResponse:
        problem = HttpError(error.status_code, str(error.detail), error.headers)
        return problem_response(problem, request_id_var.get())


def explain_validation(error: RequestValidationError) -> InvalidInputError:
    """Which fields are wrong, and how; the values themselves are not repeated, since they may be secrets."""
    errors = []
    for finding in error.errors():
        place = [str(part) for part in finding["loc"] if part not in ("body", "query", "path", "header")]
        errors.append({"field": ".".join(place) or "body", "message": _put_plainly(finding)})
    first = errors[0] if errors else {"field": "body", "message": "cannot be read"}
    return InvalidInputError(f"{first['field']}: {first['message']}", errors=errors)


def _put_plainly(finding: Mapping[str, Any]) -> str:
    """pydantic's words without its own terms: people read them in forms."""
    if finding["type"] == "extra_forbidden":
        return "There is no such field here"
    message = str(finding["msg"]).removeprefix("Value error, ").replace(" after validation", "")
    is_secret_text = finding.get("ctx", {}).get("field_type") == "Value"
    return message.replace("items", "characters") if is_secret_text else message
