"""The cache by itself: what it keeps is never what was true before a change was told."""

import asyncio
import secrets
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import redis

from imputehub.local.children import find_free_port
from microservices.service_registry.logic.catalogue_cache import CatalogueCache
from tests.service_registry.valkey import running_valkey


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
