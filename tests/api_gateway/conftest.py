"""The gateway on its real database and Valkey, over real HTTP, in front of stub services."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from sqlalchemy import create_engine, text

from imputehub.local.postgresql import PostgresqlServer
from microservices.api_gateway.logic import rate_limits
from microservices.api_gateway.main import build
from microservices.api_gateway.settings import Settings
from microservices.kernel.migrations import migrate_database
from microservices.kernel.testing import TokenAuthority, serve_app
from tests.api_gateway.stubs import EchoService
from tests.waiting import wait_until

UPSTREAMS = (
    "authority_url",
    "service_registry_url",
    "job_processor_url",
    "file_manager_url",
    "notification_url",
    "monitoring_url",
    "django_url",
)


@pytest.fixture(scope="session")
def gateway_database(postgresql: PostgresqlServer) -> str:
    url = postgresql.create_database()
    migrate_database("api_gateway", url)
    engine = create_engine(url)
    with engine.begin() as connection:
        # A window that does not end while the tests run.
        connection.execute(
            text("INSERT INTO rate_limit_tiers (name, requests, window_s) VALUES ('five', 5, 864000000)")
        )
    engine.dispose()
    return url


@pytest.fixture(scope="session")
def served_echo() -> Iterator[tuple[EchoService, str]]:
    service = EchoService()
    with serve_app(service) as url:
        yield service, url


@pytest.fixture
def echo(served_echo: tuple[EchoService, str]) -> EchoService:
    """The service behind the gateway, with nothing seen yet."""
    service, _ = served_echo
    service.forget()
    return service


@pytest.fixture(scope="session")
def echo_url(served_echo: tuple[EchoService, str]) -> str:
    return served_echo[1]


@pytest.fixture(scope="session")
def make_settings(gateway_database: str, redis_url: str, authority_url: str, echo_url: str) -> Callable[..., Settings]:
    """Settings with every service at the echo, save the authority."""

    def make(**others: Any) -> Settings:
        given: dict[str, Any] = {
            **dict.fromkeys(UPSTREAMS, echo_url),
            "authority_url": authority_url,
            "database_url": gateway_database,
            "redis_url": redis_url,
            "client_secret": "unused",
            "environment": "local",
            "log_level": "WARNING",
            "ui_dir": "/nowhere",
        }
        return Settings(**(given | others))

    return make


@pytest.fixture(scope="session", autouse=True)
def _redis_may_take_its_time() -> Iterator[None]:
    """On a busy machine an answer may be late; without one, each gateway counts by itself."""
    with pytest.MonkeyPatch.context() as patience:
        patience.setattr(rate_limits, "_WAIT_FOR_REDIS_S", 10.0)
        yield


def await_tiers(gateway: str, authority: TokenAuthority) -> None:
    """It reads its tiers as soon as it serves; until then it goes by those that are built in."""

    def read_policy() -> str:
        return httpx.get(f"{gateway}/api/v1/jobs", headers=authority.person(tier="five")).headers["ratelimit-policy"]

    wait_until(lambda: read_policy().startswith('"five"'), "the tiers are read")


@pytest.fixture(scope="session")
def gateway(make_settings: Callable[..., Settings], authority: TokenAuthority) -> Iterator[str]:
    with serve_app(build(make_settings()), proxy_headers=False) as url:
        await_tiers(url, authority)
        yield url


@pytest.fixture
def http(gateway: str, echo: EchoService, authority: TokenAuthority) -> Iterator[httpx.Client]:
    """A person without a limit, in front of the gateway."""
    with httpx.Client(base_url=gateway, headers=authority.person(), timeout=60, trust_env=False) as client:
        yield client


def address_of(url: str) -> tuple[str, int]:
    host, port = url.removeprefix("http://").split(":")
    return host, int(port)
