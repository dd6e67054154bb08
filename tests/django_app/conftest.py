"""Django as it runs: its own database and broker, real HTTP in front, and the peers that it speaks to."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any

import httpx
import pytest
from cryptography.fernet import Fernet
from django.conf import settings
from django.core.management import call_command
from django.db import connection, connections
from django.test.utils import override_settings
from sqlalchemy import create_engine

from django_app.config.celery import app as celery
from django_app.config.environment import Environment, read_database_url
from django_app.imputation import live_health
from django_app.imputation.api.authentication import get_verifier
from django_app.imputation.live_health import get_live_health
from django_app.imputation.models import ImputationService
from django_app.outbox.relay import Relay
from django_app.staff import throttle
from imputehub.local.postgresql import PostgresqlServer
from microservices.kernel.migrations import migrate_database
from microservices.kernel.testing import TokenAuthority, serve_app, serve_authority
from microservices.user_service.main import build
from microservices.user_service.settings import Settings
from tests.django_app.browsing import ACCOUNTS, PASSWORD, FormReader, QuickHasher, ensure_staff
from tests.django_app.catalogue import add_local_site
from tests.django_app.platform_staff import Door, UserService, set_authority
from tests.django_app.registry import StubRegistry
from tests.django_app.stub_site import GOOD_TOKEN, StubSite, serve_site
from tests.django_app.wizard import Wizard


@dataclass(frozen=True)
class House:
    """Django, running: its address, its environment for other processes, and its peers."""

    url: str
    environment: dict[str, str]
    authority: TokenAuthority
    registry: StubRegistry


@pytest.fixture(scope="session")
def running_house(postgresql: PostgresqlServer, redis_url: str) -> Iterator[House]:
    authority, registry = TokenAuthority(), StubRegistry()
    with ExitStack() as stack:
        environment = {
            "DJANGO_SECRET_KEY": "a-key-for-tests-" * 4,
            "DJANGO_DATABASE_URL": postgresql.create_database("django"),
            "DJANGO_BROKER_URL": f"{redis_url.rpartition('/')[0]}/2",
            "DJANGO_CLIENT_SECRET": "secret-of-django",
            "DJANGO_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
            "USER_SERVICE_URL": stack.enter_context(serve_authority(authority)),
            "SERVICE_REGISTRY_URL": registry.url,
            "ENVIRONMENT": "local",
        }
        values = read_environment(environment)
        settings.SECRET_KEY = values.secret_key.get_secret_value()
        stack.enter_context(
            override_settings(
                ENVIRONMENT=values,
                CELERY_BROKER_URL=values.broker_url.get_secret_value(),
                OUTBOX_SUBSCRIBERS={"service_registry": registry.url},
                PASSWORD_HASHERS=[f"{QuickHasher.__module__}.{QuickHasher.__qualname__}"],
            )
        )
        databases = read_database_url(values.database_url.get_secret_value())
        # Where no worker runs, whoever looks at our services waits for as long as that.
        ping = partial(celery.control.ping, timeout=1)
        stack.enter_context(pytest.MonkeyPatch.context()).setattr(celery.control, "ping", lambda **_given: ping())
        # Of what is asked in time on an idle machine, nothing is late on a busy one.
        patience = stack.enter_context(pytest.MonkeyPatch.context())
        patience.setattr(live_health, "_PAGE_WAITS_S", 30.0)
        patience.setattr(throttle, "_PATIENCE_S", 10.0)
        connections.settings = connections.configure_settings(databases)
        del connections["default"]
        call_command("migrate", verbosity=0)
        from django_app.config.asgi import application

        yield House(stack.enter_context(serve_app(application)), environment, authority, registry)
        registry.stop()
        connection.close()


def read_environment(values: dict[str, str]) -> Environment:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in values.items():
            patch.setenv(name, value)
        return Environment()


@pytest.fixture
def house(running_house: House) -> House:
    """The running house with nothing in its catalogue."""
    with connection.cursor() as cursor:
        cursor.execute(
            "TRUNCATE imputation_imputationservice, imputation_referencepanel, imputation_rememberedanswer,"
            " imputation_historicalimputationservice, imputation_historicalreferencepanel,"
            " outbox_subject, outbox_delivery, auth_user, django_admin_log, django_session CASCADE"
        )
    running_house.registry.forget()
    get_live_health.cache_clear()
    return running_house


@pytest.fixture
def registry(house: House) -> StubRegistry:
    return house.registry


@pytest.fixture
def relay(house: House) -> Iterator[Relay]:
    relay = Relay({"service_registry": house.registry.url}, lambda: "token-of-django")
    yield relay
    relay.close()


@pytest.fixture
def curator(house: House) -> Iterator[httpx.Client]:
    """A curator's client of the curation API."""
    headers = house.authority.person(["curator"])
    with httpx.Client(base_url=f"{house.url}/api/v1/curation", headers=headers, timeout=30) as client:
        yield client


@pytest.fixture
def log_in(house: House) -> Iterator[Callable[[str], httpx.Client]]:
    ensure_staff(ACCOUNTS)
    clients: list[httpx.Client] = []

    def log_in(email: str, password: str = PASSWORD) -> httpx.Client:
        client = httpx.Client(base_url=house.url, follow_redirects=True, timeout=30)
        clients.append(client)
        form = FormReader(client.get("/admin/login/?next=/admin/").text).fields
        client.post("/admin/login/", data={**form, "username": email, "password": password})
        return client

    yield log_in
    for client in clients:
        client.close()


@pytest.fixture
def browser(log_in: Callable[[str], httpx.Client]) -> httpx.Client:
    return log_in("curator@example.org")


@pytest.fixture
def site() -> Iterator[StubSite]:
    with serve_site() as site:
        yield site


@pytest.fixture
def stored(house: House, site: StubSite) -> ImputationService:
    """The site as it is curated, with a credential that it accepts."""
    return add_local_site(site.url, GOOD_TOKEN)


@pytest.fixture
def wizard(browser: httpx.Client) -> Wizard:
    return Wizard(browser)


@pytest.fixture(scope="session")
def running_users(postgresql: PostgresqlServer, redis_url: str) -> Iterator[UserService]:
    url = postgresql.create_database()
    migrate_database("user_service", url)
    key = Fernet.generate_key().decode()
    values: dict[str, Any] = {"database_url": url, "redis_url": redis_url, "encryption_keys": key, "client_secrets": {}}
    service = Settings(**values)
    engine = create_engine(url)
    with serve_app(build(service)) as address:
        yield UserService(address, service, engine)
    engine.dispose()


@pytest.fixture
def users(house: House, running_users: UserService, redis_url: str) -> Iterator[UserService]:
    """Django asks the real user_service meanwhile."""
    with set_authority(running_users.url, redis_url):
        get_verifier.cache_clear()
        yield running_users
    get_verifier.cache_clear()


@pytest.fixture
def door(house: House) -> Iterator[Door]:
    door = Door(house.url)
    yield door
    for client in door.clients:
        client.close()
