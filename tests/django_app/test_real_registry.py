"""Curation against the real registry: what is curated here is what the public catalogue answers."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest
from cryptography.fernet import Fernet

from django_app.outbox.models import Delivery
from django_app.outbox.relay import Relay
from imputehub.local.children import find_free_port
from imputehub.local.postgresql import PostgresqlServer
from microservices.kernel.migrations import migrate_database
from microservices.kernel.testing import serve_app
from microservices.service_registry.main import build
from microservices.service_registry.settings import Settings
from tests.django_app.catalogue import PANEL, SITE
from tests.django_app.conftest import House


@pytest.fixture
def catalogue(house: House, postgresql: PostgresqlServer) -> Iterator[tuple[Relay, httpx.Client]]:
    """A relay to a real registry, and a researcher's client of it."""
    nobody = f"http://127.0.0.1:{find_free_port()}"
    database_url = postgresql.create_database("registry")
    migrate_database("service_registry", database_url)
    values: dict[str, Any] = {
        "database_url": database_url,
        "client_secret": "unused",
        "redis_url": "redis://127.0.0.1:1",
        "authority_url": house.environment["USER_SERVICE_URL"],
        "encryption_keys": Fernet.generate_key().decode(),
        "notification_url": nobody,
    }
    token = house.authority.service("django", "events:write")["Authorization"].removeprefix("Bearer ")
    with ExitStack() as stack:
        url = stack.enter_context(serve_app(build(Settings(**values))))
        relay = Relay({"service_registry": url}, lambda: token)
        stack.callback(relay.close)
        yield relay, stack.enter_context(httpx.Client(base_url=url, headers=house.authority.person()))


def test_a_curated_site_lives_and_dies_in_the_public_catalogue(
    curator: httpx.Client, catalogue: tuple[Relay, httpx.Client]
) -> None:
    relay, registry = catalogue
    local = {"base_url": f"http://127.0.0.1:{find_free_port()}", "api_config": {"allow_private_network": True}}
    made = curator.post("/services/", json={**SITE, **local, "credential": "token-of-the-curator"}).json()
    panel = curator.post("/panels/", json={**PANEL, "service": made["id"], "variants_count": 5_000_000_000}).json()
    relay.deliver_due()
    assert list(Delivery.objects.filter(delivered_at=None)) == []
    site = registry.get(f"/api/v1/services/{made['id']}").json()
    for name in ("name", "api_type", "base_url", "location", "country", "requires_auth", "supported_formats"):
        assert site[name] == made[name], name
    assert site["panels_count"] == 1
    copied = registry.get(f"/api/v1/panels/{panel['id']}").json()
    assert {name: copied[name] for name in PANEL} == PANEL
    assert curator.delete(f"/services/{made['id']}/").status_code == 204
    relay.deliver_due()
    assert registry.get(f"/api/v1/services/{made['id']}").status_code == 404
    assert registry.get(f"/api/v1/panels/{panel['id']}").status_code == 404
