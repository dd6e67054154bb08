"""Every route says who may call it, and an anonymous caller is turned away wherever the rule is not 'anyone'."""

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.fernet import Fernet
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIWebSocketRoute, RouteContext, iter_route_contexts
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from microservices.kernel.auth import AccessRule, FirstMessageRule
from microservices.kernel.testing import serve_app
from tests.architecture.services import SERVICES

FRAMEWORK = {"/openapi.json", "/docs", "/docs/oauth2-redirect", "/redoc"}
PUBLIC = {
    "/health",
    "/health/ready",
    "/metrics",
    "/.well-known/jwks.json",
    "/api/v1/auth/register",
    "/api/v1/auth/token",
    "/ga4gh/service-registry/v1/services",
    "/ga4gh/service-registry/v1/services/types",
    "/ga4gh/service-registry/v1/services/{service_id}",
    "/ga4gh/service-registry/v1/service-info",
}


@pytest.fixture(params=SERVICES)
def app(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FastAPI:
    """The service's application with settings that are well-formed; nothing behind them is running."""
    prefix = request.param.upper()
    key = Fernet.generate_key().decode()
    values = {
        f"{prefix}_DATABASE_URL": "postgresql+psycopg2://nobody:x@127.0.0.1:1/none",
        f"{prefix}_CLIENT_SECRET": "x",
        f"{prefix}_ENCRYPTION_KEYS": key,
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "JOB_PROCESSOR_BROKER_URL": "redis://127.0.0.1:1/1",
        "JOB_PROCESSOR_SPOOL_DIR": str(tmp_path),
        "FILE_MANAGER_STORAGE_URL": f"file://{tmp_path}",
        "FILE_MANAGER_URL_SIGNING_KEYS": f"k1:{key}",
        "USER_SERVICE_CLIENT_SECRETS": "{}",
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    built = importlib.import_module(f"microservices.{request.param}.main").create()
    return find_fastapi(built)


def find_fastapi(app: Any) -> FastAPI:
    """The FastAPI application, also where plain ASGI stands in front of it (as `.app`)."""
    while not isinstance(app, FastAPI):
        app = app.app
    return app


def our_routes(app: FastAPI) -> Iterator[RouteContext]:
    return (route for route in iter_route_contexts(app.router.routes) if route.path not in FRAMEWORK)


def find_rules(dependant: Dependant) -> list[AccessRule]:
    own = [dependant.call] if isinstance(dependant.call, AccessRule) else []
    return own + [rule for child in dependant.dependencies for rule in find_rules(child)]


def test_every_route_declares_who_may_call_it(app: FastAPI) -> None:
    undeclared = [route.path for route in our_routes(app) if not find_rules(route.dependant)]
    assert undeclared == []


def test_only_what_must_be_is_public(app: FastAPI) -> None:
    public = {route.path for route in our_routes(app) if all(rule.public for rule in find_rules(route.dependant))}
    assert public <= PUBLIC | {"/api/v1/files/{file_id}/content"}


def test_internal_routes_are_for_services_only(app: FastAPI) -> None:
    internal = [route for route in our_routes(app) if (route.path or "").startswith("/internal/")]
    assert all(any(rule.scope for rule in find_rules(route.dependant)) for route in internal)


def test_an_anonymous_caller_is_turned_away(app: FastAPI) -> None:
    guarded = [route for route in our_routes(app) if any(not rule.public for rule in find_rules(route.dependant))]
    app.router.lifespan_context = no_lifespan
    with serve_app(app) as address, httpx.Client(base_url=address) as client:
        for route in guarded:
            path = (route.path or "").replace("{", "").replace("}", "")
            for method in route.methods or ():
                answer = client.request(method, path)
                assert answer.status_code == 401, f"{method} {path}: {answer.status_code} {answer.text}"
                assert answer.headers["www-authenticate"] == "Bearer"


def is_websocket(route: RouteContext) -> bool:
    return isinstance(route.original_route, APIWebSocketRoute)


def test_only_websockets_leave_it_to_the_first_message_who_calls(app: FastAPI) -> None:
    """The rule itself lets everybody connect, so that on any other route it would guard nothing."""
    for route in our_routes(app):
        by_message = any(isinstance(rule, FirstMessageRule) for rule in find_rules(route.dependant))
        assert by_message == is_websocket(route), route.path


def test_a_websocket_is_closed_for_whoever_shows_no_good_token(app: FastAPI) -> None:
    sockets = [route for route in our_routes(app) if is_websocket(route)]
    app.router.lifespan_context = no_lifespan
    with serve_app(app) as address:
        for route in sockets:
            with connect(address.replace("http", "ws", 1) + (route.path or ""), proxy=None, legacy=True) as connection:
                connection.send('{"token": "nonsense"}')
                with pytest.raises(ConnectionClosed):
                    connection.recv(60)
                assert connection.close_code == 4401, route.path


class no_lifespan:  # noqa: N801  (stands where a function stands)
    """Nothing of the service's background work is started: only its routes are looked at."""

    def __init__(self, app: FastAPI) -> None:
        self.app = app

    async def __aenter__(self) -> None:
        return None

    async def __aexit__(self, *_error: object) -> None:
        return None
