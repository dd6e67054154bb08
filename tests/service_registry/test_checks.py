"""Checks that are asked for: one probe for all who ask, and for as long as its result is recent."""

import asyncio
from typing import Any
from uuid import UUID

import aiohttp
import pytest

from microservices.kernel.db import Database, utc_now
from microservices.service_registry.logic.bells import Bell
from microservices.service_registry.logic.checks import HealthChecks
from tests.service_registry.conftest import StartRegistry
from tests.service_registry.registry import Registry
from tests.service_registry.stub_sites import StubSites
from tests.waiting import wait_until

AGE = "UPDATE imputation_services SET last_health_check = now() - make_interval(secs => :s) WHERE id = :id"


async def ask_many(urls: list[str], path: str, headers: dict[str, str], each: int) -> list[int]:
    """Everybody has a connection of their own, and all have asked before anybody is answered."""
    timeout = aiohttp.ClientTimeout(total=120)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), timeout=timeout) as http:

        async def ask(url: str) -> int:
            async with http.post(url + path, headers=headers) as answer:
                return answer.status

        return await asyncio.gather(*(ask(url) for url in urls for _ in range(each)))


def test_a_thousand_requests_to_two_processes_cause_one_probe(start_registry: StartRegistry, new_database: Any) -> None:
    url, sites = new_database(), StubSites()
    registries = [start_registry(url, sites=sites) for _ in range(2)]
    registry = registries[0]
    site_id = registry.store(registry.describe_site())
    registry.wait_for_check(site_id)
    registry.execute(AGE, s=3600, id=site_id)
    registry.sites.modes[site_id] = "hanging"

    async def ask_all() -> list[int]:
        addresses = [str(each.http.base_url) for each in registries]
        path, headers = f"/api/v1/services/{site_id}/health", registry.authority.person()
        asking = asyncio.create_task(ask_many(addresses, path, headers, 500))
        await asyncio.to_thread(wait_until, lambda: sites.open_now[site_id] == 1, "the probe is under way")
        registry.sites.modes[site_id] = "healthy"
        registry.sites.released = True
        return await asking

    assert set(asyncio.run(ask_all())) == {200}
    assert sites.hits[site_id] == 2


def test_ten_thousand_who_ask_at_once_are_one_to_the_database(start_registry: StartRegistry) -> None:
    registry = start_registry()
    site_id = registry.store(registry.describe_site())
    registry.wait_for_check(site_id)
    registry.execute(AGE, s=3600, id=site_id)
    database = Database(registry.engine.url.render_as_string(hide_password=False), pool_size=2)

    async def ask_all() -> set[bool]:
        checks = HealthChecks(database, Bell(), utc_now)
        answers = await asyncio.gather(*(checks.check(UUID(site_id), "person") for _ in range(10_000)))
        return {answer.cached for answer in answers}

    try:
        assert asyncio.run(ask_all()) == {False}
    finally:
        database.dispose()
    assert registry.sites.hits[site_id] == 2


@pytest.mark.parametrize(("mode", "seconds"), [("healthy", 900), ("html", 10), ("maintenance", 10)])
def test_the_system_is_told_what_is_newer_than_what_people_are_told(
    registry: Registry, mode: Any, seconds: int
) -> None:
    site_id = registry.store(registry.describe_site(mode))
    registry.wait_for_check(site_id)
    path = f"/internal/sites/{site_id}/probe?force=false"
    headers = registry.authority.service("job_processor", "catalogue:probe")
    registry.execute(AGE, s=seconds - 5, id=site_id)
    assert registry.http.post(path, headers=headers).status_code == 200
    assert registry.sites.hits[site_id] == 1
    registry.execute(AGE, s=seconds + 1, id=site_id)
    assert registry.http.post(path, headers=headers).json()["last_health_check"]
    assert registry.sites.hits[site_id] == 2
    assert registry.http.post(f"{path}&now=1", headers=headers).status_code == 400


def test_one_who_goes_away_leaves_the_check_to_the_others(start_registry: StartRegistry) -> None:
    registry = start_registry()
    site_id = registry.store(registry.describe_site("hanging"))
    wait_until(lambda: registry.sites.open_now[site_id] == 1, "the first probe is under way")

    async def ask_two() -> int:
        url, headers = f"{registry.http.base_url}/api/v1/services/{site_id}/health", registry.authority.person()
        async with aiohttp.ClientSession(headers=headers) as http:
            impatient = asyncio.create_task(http.post(url, timeout=aiohttp.ClientTimeout(total=0.3)))
            patient = asyncio.create_task(http.post(url))
            with pytest.raises(TimeoutError):
                await impatient
            registry.sites.released = True
            return (await patient).status

    assert asyncio.run(ask_two()) == 200
    assert registry.sites.hits[site_id] == 1
