"""Monitoring on its real database, watching stub services over real HTTP."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from imputehub.local.children import find_free_port
from imputehub.local.postgresql import PostgresqlServer
from microservices.kernel.testing import TokenAuthority, serve_app
from microservices.monitoring.main import build
from microservices.monitoring.settings import Settings
from tests.databases import create_migrated
from tests.monitoring.stub_service import StubService


@pytest.fixture
def make_settings(postgresql: PostgresqlServer, redis_url: str, authority_url: str) -> Callable[..., Settings]:
    """Settings on a database of one's own; services that are not given do not answer."""

    def make(**others: Any) -> Settings:
        url = create_migrated(postgresql, "monitoring")
        nowhere = f"http://127.0.0.1:{find_free_port()}"
        given: dict[str, Any] = {
            **{name: nowhere for name in Settings.model_fields if name.endswith("_url")},
            "public_url": "http://127.0.0.1:8000",
            "database_url": url,
            "redis_url": redis_url,
            "authority_url": authority_url,
            "client_secret": "unused",
            "environment": "local",
            "log_level": "WARNING",
            "probe_interval_s": 0.1,
            "life_interval_s": 0.1,
            "probe_timeout_s": 1,
        }
        return Settings(**(given | others))

    return make


@pytest.fixture
def stub() -> StubService:
    return StubService()


@pytest.fixture
def stub_url(stub: StubService) -> Iterator[str]:
    with serve_app(stub) as url:
        yield url


@pytest.fixture
def operator(
    make_settings: Callable[..., Settings], stub_url: str, authority: TokenAuthority
) -> Iterator[httpx.Client]:
    """An operator's client; the stub is file_manager and service_registry, and all others are away."""
    settings = make_settings(file_manager_url=stub_url, service_registry_url=stub_url)
    with serve_app(build(settings)) as url, httpx.Client(base_url=url, headers=authority.person(["operator"])) as http:
        yield http
