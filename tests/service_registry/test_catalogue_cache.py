"""The catalogue's answers come from Redis where they can, and are never what was true before a change was told."""

import asyncio
import secrets
import subprocess
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
import redis

from imputehub.local.children import find_free_port
from imputehub.local.valkey import accepts_connections, make_server_command, make_url
from microservices.service_registry.logic.catalogue_cache import CatalogueCache
from tests.service_registry.conftest import StartRegistry
from tests.service_registry.registry import Registry, describe_panel, wait_until

RENAME = "UPDATE imputation_services SET name = :name WHERE id = :id"
NOWHERE = "redis://127.0.0.1:1/0"


@pytest.fixture
def as_person(registry: Registry) -> dict[str, str]:
    """One person's headers: only whose token is known gets answers without the framework."""
    return registry.authority.person()


def name_of(registry: Registry, headers: dict[str, str], site_id: str) -> str:
    answer = registry.http.get(f"/api/v1/services/{site_id}", headers=headers)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["name"])


def test_what_was_read_once_is_kept_until_it_changes(registry: Registry, as_person: dict[str, str]) -> None:
    site_id = registry.store(registry.describe_site(name="First"))
    registry.wait_for_check(site_id)
    assert name_of(registry, as_person, site_id) == "First"
    registry.execute(RENAME, name="Unnoticed", id=site_id)
    assert name_of(registry, as_person, site_id) == "First"  # from Redis: nobody was told
    registry.execute("NOTIFY services_changed")
    wait_until(lambda: name_of(registry, as_person, site_id) == "Unnoticed", "the change is heard of")


def test_a_tag_spares_the_body_until_something_changes(registry: Registry, as_person: dict[str, str]) -> None:
    document = registry.describe_site(panels=[describe_panel()])
    site_id = registry.store(document)
    registry.wait_for_check(site_id)
    for path in ("/services", f"/services/{site_id}", f"/services/{site_id}/panels", "/panels"):
        url = f"/api/v1{path}"
        full = registry.http.get(url, headers=as_person)
        tag = {"If-None-Match": f'"other", W/{full.headers["etag"]}'}
        spared = registry.http.get(url, headers=as_person | tag)
        assert (spared.status_code, spared.content, spared.headers["etag"]) == (304, b"", full.headers["etag"])
        assert spared.headers["x-request-id"]
        registry.store({**document, "name": f"Renamed for {path}"})
        renewed = registry.http.get(url, headers=as_person | tag)
        assert renewed.status_code == 200
        assert renewed.headers["etag"] != full.headers["etag"]
        assert f"Renamed for {path}" in renewed.text


def test_two_processes_show_every_change_as_soon_as_it_was_accepted(
    start_registry: StartRegistry, new_database: Callable[[], str]
) -> None:
    url = new_database()
    first, second = start_registry(url), start_registry(url)
    document = first.describe_site(is_active=False)
    readers = [(registry, registry.authority.person()) for registry in (first, second)]
    for number in range(40):
        first.store({**document, "name": f"Name {number}", "panels": [describe_panel(name=f"Panel {number}")]})
        for registry, headers in readers:
            assert name_of(registry, headers, document["id"]) == f"Name {number}"
            panels = registry.http.get(f"/api/v1/services/{document['id']}/panels?is_active=false", headers=headers)
            assert [panel["name"] for panel in panels.json()["items"]] == [f"Panel {number}"]


def test_a_health_check_that_was_answered_is_seen_in_every_list(registry: Registry, as_person: dict[str, str]) -> None:
    site_id = registry.store(registry.describe_site(name=uuid4().hex))
    registry.wait_for_check(site_id)
    url = f"/api/v1/services?q={registry.read(f'/services/{site_id}')['name']}"
    for mode, status in (("html", "unhealthy"), ("healthy", "healthy"), ("maintenance", "degraded")):
        registry.sites.modes[site_id] = mode  # type: ignore[assignment]
        checked = registry.check(site_id, ("curator",), force=True).json()
        [shown] = registry.http.get(url, headers=as_person).json()["items"]
        assert (shown["health_status"], shown["last_health_check"]) == (status, checked["last_health_check"])


def test_what_is_gone_or_refused_is_told_again_each_time(registry: Registry, as_person: dict[str, str]) -> None:
    document = registry.describe_site()
    url = f"/api/v1/services/{document['id']}"
    assert registry.http.get(url, headers=as_person).status_code == 404
    registry.store(document)
    assert [registry.http.get(url, headers=as_person).status_code for _ in range(3)] == [200] * 3
    registry.delete(document["id"])
    assert [registry.http.get(url, headers=as_person).status_code for _ in range(2)] == [404] * 2
    assert registry.http.get("/api/v1/services?colour=red", headers=as_person).status_code == 400
    assert registry.http.get("/api/v1/services?colour=red", headers=as_person).status_code == 400


def test_a_kept_answer_is_for_nobody_without_a_good_token(registry: Registry, as_person: dict[str, str]) -> None:
    assert [registry.http.get("/api/v1/panels", headers=as_person).status_code for _ in range(3)] == [200] * 3
    service = registry.authority.service("job_processor")
    assert [registry.http.get("/api/v1/panels", headers=service).status_code for _ in range(2)] == [403] * 2
    forged = {"Authorization": as_person["Authorization"] + "x"}
    assert registry.http.get("/api/v1/panels", headers=forged).status_code == 401
    assert registry.http.get("/api/v1/panels").status_code == 401
    assert registry.http.post("/api/v1/panels", headers=as_person).status_code == 405


def test_without_redis_the_database_is_read(start_registry: StartRegistry) -> None:
    registry = start_registry(redis_url=NOWHERE)
    headers = registry.authority.person()
    document = registry.describe_site(is_active=False)
    for number in range(5):
        registry.store({**document, "name": f"Name {number}"})
        assert name_of(registry, headers, document["id"]) == f"Name {number}"
    registry.execute(RENAME, name="Unnoticed", id=document["id"])
    assert name_of(registry, headers, document["id"]) == "Unnoticed"


def test_a_redis_that_has_lost_everything_costs_nothing(
    registry: Registry, as_person: dict[str, str], redis_url: str
) -> None:
    document = registry.describe_site(is_active=False)
    registry.store(document)
    with redis.Redis.from_url(redis_url) as client:
        for number in range(5):
            name_of(registry, as_person, document["id"])
            client.flushall()
            assert name_of(registry, as_person, document["id"]) == document["name"]
            client.flushall()
            document = {**document, "name": f"Name {number}"}
            registry.store(document)
            assert name_of(registry, as_person, document["id"]) == f"Name {number}"


@contextmanager
def running_valkey(directory: Path, port: int, password: str) -> Iterator[str]:
    """Keeps its data from one time to the next."""
    with subprocess.Popen(make_server_command(directory, port, password), stdout=subprocess.DEVNULL) as process:
        url = make_url(port, password)
        wait_until(lambda: accepts_connections(url), "Valkey answers")
        try:
            yield url
        finally:
            process.terminate()


def test_a_redis_that_comes_back_with_old_answers_is_not_believed(
    start_registry: StartRegistry, tmp_path: Path
) -> None:
    port, password = find_free_port(), secrets.token_hex(8)
    with running_valkey(tmp_path, port, password) as url:
        registry = start_registry(redis_url=url)
        headers = registry.authority.person()
        document = registry.describe_site(is_active=False, name="Old")
        registry.store(document)
        assert [name_of(registry, headers, document["id"]) for _ in range(3)] == ["Old"] * 3
    registry.store({**document, "name": "New"})
    with running_valkey(tmp_path, port, password):
        for _ in range(20):
            assert name_of(registry, headers, document["id"]) == "New"
        with redis.Redis.from_url(url) as client:
            wait_until(
                lambda: (
                    name_of(registry, headers, document["id"]) == "New"
                    and any(b'"New"' in (client.get(key) or b"") for key in client.scan_iter("*services/*"))
                ),  # type: ignore[operator]
                "the new answer is kept",
            )


def test_a_redis_that_is_put_back_while_nobody_looks_is_not_believed(tmp_path: Path) -> None:
    port, password = find_free_port(), secrets.token_hex(8)
    counts: list[bytes] = []

    async def ask(cache: CatalogueCache, body: bytes) -> bytes:
        """Twice: the first time, the answer may only just be stored."""
        answers = [await cache.answer("services", "list", counted(body, counts)) for _ in range(2)]
        return answers[-1].body

    async def scenario() -> None:
        with running_valkey(tmp_path, port, password) as url, redis.Redis.from_url(url) as client:
            async with open_cache(url) as cache:
                assert await ask(cache, b"old") == b"old"
                backup = {key: client.get(key) for key in client.scan_iter("*")}
                cache.expire("services")
                assert await ask(cache, b"new") == b"new"
                client.mset(backup)  # type: ignore[arg-type]
                client.client_kill_filter(_type="normal", skipme=True)  # as a restart does
                await asyncio.sleep(0)
                assert await ask(cache, b"new") == b"new"

    asyncio.run(scenario())


@asynccontextmanager
async def open_cache(redis_url: str) -> AsyncIterator[CatalogueCache]:
    cache = CatalogueCache(redis_url, uuid4().hex)
    cache.tell_informed(True)
    try:
        yield cache
    finally:
        await cache.close()


def counted(body: bytes, counts: list[bytes]) -> Callable[[], bytes]:
    def read() -> bytes:
        counts.append(body)
        return body

    return read


def test_who_read_before_a_change_and_stores_after_it_is_not_believed(redis_url: str) -> None:
    async def tell() -> None:
        async with open_cache(redis_url) as cache:
            await cache.settle()
            reading, go_on = threading.Event(), threading.Event()

            def read_slowly() -> bytes:
                reading.set()
                go_on.wait(10)
                return b"old"

            slow = asyncio.create_task(cache.answer("services", "key", read_slowly))
            await asyncio.to_thread(reading.wait, 10)
            cache.expire("services")
            await cache.settle()
            assert (await cache.answer("services", "key", lambda: b"new")).body == b"new"
            go_on.set()
            assert (await slow).body == b"old"  # it asked before the change was told
            assert (await cache.answer("services", "key", lambda: b"newer")).body == b"newer"

    asyncio.run(tell())


def test_a_thousand_who_ask_at_once_read_the_database_once(redis_url: str) -> None:
    async def tell() -> None:
        async with open_cache(redis_url) as cache:
            await cache.settle()
            for changes in range(1, 4):
                counts: list[bytes] = []
                read = counted(b"%d" % changes, counts)
                answers = await asyncio.gather(*(cache.answer("panels", "key", read) for _ in range(1000)))
                assert {answer.body for answer in answers} == {b"%d" % changes}
                assert len(counts) == 1
                cache.expire("panels")

    asyncio.run(tell())


def test_a_process_that_does_not_hear_of_changes_keeps_to_the_database(redis_url: str) -> None:
    async def tell() -> None:
        async with open_cache(redis_url) as cache:
            await cache.settle()
            await cache.answer("services", "key", lambda: b"old")
            assert (await cache.answer("services", "key", lambda: b"unread")).body == b"old"
            cache.tell_informed(False)
            assert (await cache.answer("services", "key", lambda: b"new")).body == b"new"

    asyncio.run(tell())


def test_a_change_of_services_leaves_the_panels_answers_alone(redis_url: str) -> None:
    async def tell() -> None:
        async with open_cache(redis_url) as cache:
            await cache.settle()
            await cache.answer("panels", "key", lambda: b"panels")
            cache.expire("services")
            assert (await cache.answer("panels", "key", lambda: b"unread")).body == b"panels"

    asyncio.run(tell())


def test_the_hot_answers_are_measured_under_their_routes(registry: Registry, as_person: dict[str, str]) -> None:
    site_id = registry.store(registry.describe_site(is_active=False))

    def count() -> float:
        lines = registry.http.get("/metrics").text.splitlines()
        mine = [line for line in lines if 'route="/api/v1/services/{service_id}"' in line and 'status="200"' in line]
        return sum(float(line.rsplit(" ", 1)[1]) for line in mine if line.startswith("http_requests_total"))

    before = count()
    answers: list[httpx.Response] = [
        registry.http.get(f"/api/v1/services/{site_id}", headers=as_person) for _ in range(5)
    ]
    assert {answer.status_code for answer in answers} == {200}
    assert count() == before + 5


def test_spelling_a_question_otherwise_gives_the_same_answer(registry: Registry, as_person: dict[str, str]) -> None:
    def ask(query: str) -> Any:
        return registry.http.get(f"/api/v1/panels?{query}", headers=as_person).json()

    assert ask("limit=50&build=hg38") == ask("build=hg38&limit=50") == ask("build=hg38")
