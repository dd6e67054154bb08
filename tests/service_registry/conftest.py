from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet

from imputehub.local.postgresql import PostgresqlServer
from microservices.kernel.db import utc_now
from microservices.kernel.testing import TokenAuthority, serve_app
from microservices.service_registry.logic import catalogue_cache
from microservices.service_registry.main import build
from microservices.service_registry.settings import Settings
from tests.databases import create_migrated
from tests.service_registry.registry import Registry
from tests.service_registry.stub_sites import StubSites, build_sites, build_subscriber

StartRegistry = Callable[..., Registry]


@contextmanager
def open_registry(
    database_url: str,
    authority: TokenAuthority,
    authority_url: str,
    *,
    sites: StubSites | None = None,
    now: Callable[[], datetime] = utc_now,
    **changes: Any,
) -> Iterator[Registry]:
    """A registry on a migrated database with stub sites and a stub subscriber; `changes` are settings."""
    sites = sites or StubSites()
    events: list[dict[str, Any]] = []
    with ExitStack() as stack:
        sites_url = stack.enter_context(serve_app(build_sites(sites)))
        settings: dict[str, Any] = {
            "database_url": database_url,
            "client_secret": "unused-by-the-stub",
            "redis_url": "redis://127.0.0.1:1",
            "authority_url": authority_url,
            "encryption_keys": Fernet.generate_key().decode(),
            "job_processor_url": "http://127.0.0.1:1",
            "notification_url": stack.enter_context(serve_app(build_subscriber(events))),
        }
        url = stack.enter_context(serve_app(build(Settings(**settings | changes), now)))
        http = stack.enter_context(httpx.Client(base_url=url, timeout=30))
        engine = sa.create_engine(database_url)
        stack.callback(engine.dispose)
        yield Registry(http, authority, engine, sites, sites_url, events)
        sites.released = True


@pytest.fixture(scope="session")
def new_database(postgresql: PostgresqlServer) -> Callable[[], str]:
    def create() -> str:
        return create_migrated(postgresql, "service_registry")

    return create


@pytest.fixture(scope="session", autouse=True)
def _redis_may_take_its_time() -> Iterator[None]:
    """On a busy machine an answer may be late; without one, the database is read."""
    with pytest.MonkeyPatch.context() as patience:
        patience.setattr(catalogue_cache, "_PATIENCE_S", 10.0)
        yield


@pytest.fixture(scope="module")
def registry(
    new_database: Callable[[], str], authority: TokenAuthority, authority_url: str, redis_url: str
) -> Iterator[Registry]:
    """Shared by a module's tests, each with sites of its own."""
    with open_registry(new_database(), authority, authority_url, redis_url=redis_url) as registry:
        yield registry


@pytest.fixture
def start_registry(
    new_database: Callable[[], str], authority: TokenAuthority, authority_url: str, redis_url: str
) -> Iterator[StartRegistry]:
    """Start a registry of a test's own: `start_registry(**settings)`, on `database_url` or a fresh one."""
    with ExitStack() as stack:

        def start(database_url: str | None = None, **changes: Any) -> Registry:
            settings = {"redis_url": redis_url, **changes}
            return stack.enter_context(
                open_registry(database_url or new_database(), authority, authority_url, **settings)
            )

        yield start
