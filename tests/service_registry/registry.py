"""A registry under test, as its peers and its users see it."""

import json
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx
import sqlalchemy as sa

from microservices.kernel.testing import TokenAuthority
from tests.service_registry.stub_sites import Mode, StubSites
from tests.waiting import wait_until


@dataclass
class Registry:
    http: httpx.Client
    authority: TokenAuthority
    engine: sa.Engine
    sites: StubSites
    sites_url: str
    events: list[dict[str, Any]]
    versions: dict[str, int] = field(default_factory=dict)

    # as Django

    def describe_site(self, mode: Mode = "healthy", **changes: Any) -> dict[str, Any]:
        """A site's document; its address leads to a stub that behaves as `mode` says."""
        site_id = str(uuid4())
        self.sites.modes[site_id] = mode
        document: dict[str, Any] = {
            "id": site_id,
            "name": f"Site {site_id[:8]}",
            "api_type": "michigan",
            "base_url": f"{self.sites_url}/{site_id}",
            "location": "University of Somewhere",
            "country": "ZA",
            "credential": None,
            "api_config": {"allow_private_network": True},
            "panels": [],
        }
        return document | changes

    def send(self, kind: str, site_id: str, data: dict[str, Any], **changes: Any) -> httpx.Response:
        """Deliver an event; the subject's next version unless `dataversion` is given."""
        self.versions[site_id] = self.versions.get(site_id, 0) + 1
        event = {
            "specversion": "1.0",
            "id": str(uuid4()),
            "source": "django",
            "type": kind,
            "subject": f"site/{site_id}",
            "time": "2026-11-22T10:00:00Z",
            "dataversion": self.versions[site_id],
            "data": data,
        }
        body = json.dumps(event | changes)  # ASCII, so that it may hold what UTF-8 cannot
        headers = self.authority.service("django") | {"Content-Type": "application/json"}
        return self.http.post("/internal/events", content=body, headers=headers)

    def store(self, document: dict[str, Any], **changes: Any) -> str:
        answer = self.send("site.changed", document["id"], document, **changes)
        assert answer.status_code == 204, answer.text
        return str(document["id"])

    def delete(self, site_id: str, **changes: Any) -> None:
        assert self.send("site.deleted", site_id, {}, **changes).status_code == 204

    # as people

    def get(self, path: str, roles: tuple[str, ...] = ("researcher",), **params: Any) -> httpx.Response:
        return self.http.get(f"/api/v1{path}", params=params, headers=self.authority.person(roles))

    def read(self, path: str, **params: Any) -> Any:
        answer = self.get(path, **params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def check(self, site_id: str, roles: tuple[str, ...] = ("researcher",), **params: Any) -> httpx.Response:
        headers = self.authority.person(roles)
        return self.http.post(f"/api/v1/services/{site_id}/health", params=params, headers=headers, timeout=60)

    def wait_for_check(self, site_id: str, *, within_s: float = 60) -> dict[str, Any]:
        """The site once its first probe has ended."""

        def look() -> dict[str, Any] | None:
            service: dict[str, Any] = self.read(f"/services/{site_id}")
            return service if service["last_health_check"] else None

        return wait_until(look, "the site's first health check", within_s=within_s)

    # as our other services

    def list_events(self, kind: str, site_id: str) -> list[dict[str, Any]]:
        """What notification was told of a site, in its order."""
        told = [event for event in self.events if event["subject"] == f"site/{site_id}" and event["type"] == kind]
        return sorted(told, key=lambda event: int(event["dataversion"]))

    def read_site(self, site_id: str) -> httpx.Response:
        return self.http.get(f"/internal/sites/{site_id}", headers=self.authority.service("job_processor"))

    def ask_credential(self, site_id: str, scope: str = "credentials:read") -> httpx.Response:
        headers = self.authority.service("job_processor", scope)
        body = {"run_id": str(uuid4())}
        return self.http.post(f"/internal/sites/{site_id}/credential", json=body, headers=headers)

    # as its own database

    def execute(self, statement: str, **params: Any) -> None:
        with self.engine.begin() as connection:
            connection.execute(sa.text(statement), params)

    def dump_database(self) -> str:
        """Every row of every table as text."""
        with self.engine.connect() as connection:
            tables = sa.inspect(connection).get_table_names()
            rows = [connection.scalars(sa.text(f"SELECT t::text FROM {table} t")).all() for table in tables]
        return "\n".join(line for table in rows for line in table)


def describe_panel(**changes: Any) -> dict[str, Any]:
    panel: dict[str, Any] = {
        "id": str(uuid4()),
        "name": "1000G Phase 3 (GRCh38/hg38)",
        "panel_id": "apps@1000g-phase-3@2.0.0",
        "populations": ["afr", "eur", "off"],
        "build": "hg38",
        "samples_count": 2504,
        "variants_count": 49_143_605,
    }
    return panel | changes
