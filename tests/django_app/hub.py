"""Curation with the real registry beside it: what curators do, and what the public catalogue shows."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
import psycopg2
from sqlalchemy import make_url

from imputehub.local.children import find_free_port
from tests.django_app.catalogue import PANEL, SITE
from tests.django_app.parts import Part, wait_until

REGISTRY_TABLES = (
    "imputation_services, reference_panels, service_health_logs, credential_accesses,"
    " inbox, inbox_versions, outbox, outbox_versions"
)


@dataclass
class Hub:
    """`curator` speaks to Django's web process, `people` to the registry, as a researcher."""

    registry: Part
    web: Part
    worker: Part
    registry_database: str
    admin_dsn: str
    environment: dict[str, str]
    curator: httpx.Client
    people: httpx.Client

    # as a curator

    def add_site(self, name: str, **changes: Any) -> str:
        """Its address leads nowhere: what the registry finds of it does not matter."""
        local = {"base_url": f"http://127.0.0.1:{find_free_port()}", "api_config": {"allow_private_network": True}}
        body = {**SITE, **local, "name": name, **changes}
        return str(self.curator.post("/services/", json=body).raise_for_status().json()["id"])

    def add_panel(self, site_id: str, **changes: Any) -> str:
        body = {**PANEL, "panel_id": f"apps@{uuid4()}@1.0.0", "service": site_id, **changes}
        return str(self.curator.post("/panels/", json=body).raise_for_status().json()["id"])

    def edit_site(self, site_id: str, **changes: Any) -> None:
        self.curator.patch(f"/services/{site_id}/", json=changes).raise_for_status()

    def delete_site(self, site_id: str) -> None:
        self.curator.delete(f"/services/{site_id}/").raise_for_status()

    def compare(self) -> dict[str, Any]:
        comparison: dict[str, Any] = self.curator.get("/drift/").raise_for_status().json()
        return comparison

    def find_kinds(self) -> dict[str, str]:
        return {one["service_id"]: one["kind"] for one in self.compare()["findings"]}

    def repair(self, **wish: Any) -> dict[str, str]:
        """Site → what was done."""
        done = self.curator.post("/repair/", json=wish).raise_for_status().json()["repairs"]
        return {one["finding"]["service_id"]: one["action"] for one in done}

    def await_sync(self, within_s: float = 30) -> None:
        """Until nothing waits, and both sides are the same."""
        wait_until(lambda: self.compare()["findings"] == [], "the registry holds what is curated", within_s)

    # as a researcher

    def read_catalogue(self) -> dict[str, tuple[str, set[str]]]:
        """Site → its name and its panels, as the registry answers; whoever is there twice fails the test."""
        found: dict[str, tuple[str, set[str]]] = {}
        for state in ("true", "false"):
            services = self.people.get("/services", params={"is_active": state, "limit": 200}).json()["items"]
            for service in services:
                panels = self.people.get(f"/services/{service['id']}/panels").json()["items"]
                assert service["id"] not in found
                found[service["id"]] = (service["name"], {panel["id"] for panel in panels})
        return found

    def is_shown(self, site_id: str) -> bool:
        return self.people.get(f"/services/{site_id}").status_code == 200

    # as an operator

    def query_registry(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        with psycopg2.connect(self.registry_database) as connection, connection.cursor() as cursor:
            cursor.execute(statement, values)
            rows = list(cursor.fetchall()) if cursor.description else []
        connection.close()
        return rows

    def empty_registry(self) -> None:
        self.query_registry(f"TRUNCATE {REGISTRY_TABLES} CASCADE")

    @contextmanager
    def registry_set_back(self) -> Iterator[None]:
        """Back up the registry's database, let the block happen, and restore the backup: what happened is forgotten."""
        self._copy_registry(self._name, self._backup)
        yield
        self._copy_registry(self._backup, self._name)

    @property
    def _name(self) -> str:
        return str(make_url(self.registry_database).database)

    @property
    def _backup(self) -> str:
        return f"{self._name}_backup"

    def _copy_registry(self, source: str, target: str) -> None:
        """While nobody is connected, as PostgreSQL wants it."""
        self.registry.stop()
        connection = psycopg2.connect(self.admin_dsn)
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(f'DROP DATABASE IF EXISTS "{target}" WITH (FORCE)')
            cursor.execute(f'CREATE DATABASE "{target}" TEMPLATE "{source}" OWNER "{self._name}"')
        connection.close()
        self.registry.start()
