"""The authorisation server on its real database and Valkey, over real HTTP."""

import secrets
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import time_machine
from cryptography.fernet import Fernet
from sqlalchemy import Engine, create_engine

from imputehub.local.postgresql import PostgresqlServer
from microservices.kernel.migrations import migrate_database
from microservices.kernel.testing import serve_app
from microservices.user_service.logic import throttle
from microservices.user_service.main import build
from microservices.user_service.settings import Settings
from user_service.people import CLIENT_SECRET, Person, register


@pytest.fixture(scope="session")
def settings(postgresql: PostgresqlServer, redis_url: str) -> Settings:
    url = postgresql.create_database("users")
    migrate_database("user_service", url)
    return make_settings(url, redis_url)


def make_settings(database_url: str, redis_url: str, **others: Any) -> Settings:
    given: dict[str, Any] = {
        "database_url": database_url,
        "redis_url": redis_url,
        "encryption_keys": Fernet.generate_key().decode(),
        "client_secrets": dict.fromkeys(
            ("job_processor", "api_gateway", "notification", "stranger"),
            CLIENT_SECRET,
        ),
    }
    return Settings(**(given | others))


@pytest.fixture(scope="session", autouse=True)
def _redis_may_take_its_time() -> Iterator[None]:
    """On a busy machine an answer may be late; without one, log-ins go on uncounted."""
    with pytest.MonkeyPatch.context() as patience:
        patience.setattr(throttle, "_PATIENCE_S", 10.0)
        yield


@pytest.fixture(scope="session")
def base_url(settings: Settings) -> Iterator[str]:
    with serve_app(build(settings)) as url:
        yield url


@pytest.fixture
def http(base_url: str) -> Iterator[httpx.Client]:
    """A client at an address of its own, as a trusted proxy in front would tell it."""
    address = "10." + ".".join(str(secrets.randbelow(254) + 1) for _ in range(3))
    with httpx.Client(base_url=base_url, headers={"X-Forwarded-For": address}, timeout=60) as client:
        yield client


@pytest.fixture
def engine(settings: Settings) -> Iterator[Engine]:
    engine = create_engine(settings.database_url.get_secret_value())
    yield engine
    engine.dispose()


@pytest.fixture
def person(http: httpx.Client) -> Person:
    """Somebody who has registered and logged in."""
    return register(http)


@pytest.fixture
def early_in_a_step() -> Iterator[None]:
    """The clock goes on from the beginning of the next 30 s: no code of an app ends in the middle of a test."""
    with time_machine.travel((time.time() // 30 + 1) * 30 + 1):
        yield
