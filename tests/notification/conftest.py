"""notification on its real database, over real HTTP and WebSocket."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from imputehub.local.postgresql import PostgresqlServer
from microservices.kernel.migrations import migrate_database
from microservices.kernel.testing import TokenAuthority, serve_app
from microservices.notification.main import build
from microservices.notification.settings import Settings
from tests.notification.world import Person


@pytest.fixture(scope="module")
def database_url(postgresql: PostgresqlServer) -> str:
    url = postgresql.create_database()
    migrate_database("notification", url)
    return url


@pytest.fixture(scope="module")
def make_settings(database_url: str, redis_url: str, authority_url: str) -> Callable[..., Settings]:
    def make(**others: Any) -> Settings:
        given: dict[str, Any] = {
            "database_url": database_url,
            "client_secret": "unused",
            "redis_url": redis_url,
            "authority_url": authority_url,
            "public_url": "https://hub.example.org",
        }
        return Settings(**(given | others))

    return make


@pytest.fixture(scope="module")
def service_url(make_settings: Callable[..., Settings]) -> Iterator[str]:
    with serve_app(build(make_settings())) as address:
        yield address


@pytest.fixture(scope="module")
def service(service_url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=service_url, timeout=60) as client:
        yield client


@pytest.fixture
def person(authority: TokenAuthority) -> Person:
    return Person(authority)
