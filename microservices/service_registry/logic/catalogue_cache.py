"""Answers about the catalogue, kept in Redis as the bytes that are sent, and never given out once they are outdated.

Each answer is stored with the generation (a random name) that its part of the catalogue had *before* the database was
read for it, and is good while that is still the generation. A change begins a new one after its commit; so whoever
read too early stores an answer that nobody will take. Whoever changes something begins the generation before telling
of success, and every process does so again when PostgreSQL tells it of the commit (NOTIFY), so a process that dies in
between leaves nothing outdated behind. While Redis is away, or this process cannot hear PostgreSQL, the database is
read for each answer; afterwards a new generation begins first.
"""

import asyncio
import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal
from uuid import uuid4

import anyio.to_thread
from redis.asyncio import Connection, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from microservices.kernel.logs import get_logger

Part = Literal["services", "panels"]
PARTS: tuple[Part, ...] = ("services", "panels")
_NAME = 32  # characters of a generation and of a tag
_KEEP_S = 300
_LONGEST_KEY = 1000
_MOST_READERS = 1000
_PATIENCE_S = 0.5
_PAUSE_WITHOUT_REDIS_S = 1.0

log = get_logger(__name__)


@dataclass(frozen=True)
class StoredAnswer:
    """`body` is JSON; `etag` is strong, of the bytes."""

    body: bytes
    etag: str


@dataclass(frozen=True)
class _Question:
    part: Part
    key: str
    found: asyncio.Future[tuple[bytes | None, bytes | None]]


class CatalogueCache:
    """Made on a running event loop and closed with `close`; `namespace` tells one registry's keys from another's."""

    def __init__(self, redis_url: str, namespace: str) -> None:
        self._redis = Redis.from_url(
            redis_url,
            socket_timeout=_PATIENCE_S,
            socket_connect_timeout=_PATIENCE_S,
            retry=Retry(NoBackoff(), 0),
            redis_connect_func=self._greet,
        )
        self._connections = 0
        self._prefix = f"service_registry:{namespace}"
        self._outdated: set[Part] = set(PARTS)
        self._questions: list[_Question] = []
        self._asking: asyncio.Task[None] | None = None
        self._reading: dict[tuple[str, bytes], asyncio.Task[StoredAnswer]] = {}
        self._readers: dict[str, Callable[[], bytes]] = {}
        self._redis_back_at = 0.0
        self._is_informed = False

    async def recall(self, part: Part, key: str) -> StoredAnswer | None:
        """The answer to what has been asked here before; None where it takes more than reading it again."""
        read = self._readers.get(key)
        if read is None:
            return (await self._look_up(part, key))[1]
        try:
            return await self.answer(part, key, read)
        except Exception:  # such as that it is gone: whoever asks in full is told
            self._readers.pop(key, None)
            return None

    async def answer(self, part: Part, key: str, read: Callable[[], bytes]) -> StoredAnswer:
        """The stored answer to `key`, or what `read` (called in a thread) makes of the database."""
        answer = await self._find(part, key, read)
        self._readers[key] = read
        while len(self._readers) > _MOST_READERS:
            del self._readers[next(iter(self._readers))]
        return answer

    async def _find(self, part: Part, key: str, read: Callable[[], bytes]) -> StoredAnswer:
        generation, stored = await self._look_up(part, key)
        if generation is None or len(key) > _LONGEST_KEY:
            return await _read_answer(read)
        if stored is not None:
            return stored
        task = self._reading.get((key, generation))
        if task is None:
            task = self._reading[key, generation] = asyncio.create_task(self._read_and_store(key, generation, read))
            task.add_done_callback(partial(self._forget, (key, generation)))
        return await asyncio.shield(task)

    def _forget(self, reading: tuple[str, bytes], task: asyncio.Task[StoredAnswer]) -> None:
        del self._reading[reading]
        if not task.cancelled():
            task.exception()  # told to those who asked, if any are left

    async def _read_and_store(self, key: str, generation: bytes, read: Callable[[], bytes]) -> StoredAnswer:
        answer = await _read_answer(read)
        try:
            await self._redis.set(self._name(key), generation + answer.etag.encode() + answer.body, ex=_KEEP_S)
        except (RedisError, OSError) as error:
            self._lose_redis(error)
        return answer

    async def _look_up(self, part: Part, key: str) -> tuple[bytes | None, StoredAnswer | None]:
        """(generation, good answer)"""
        generation, stored = await self._ask(part, key) if self._is_informed else (None, None)
        if stored is None or stored[:_NAME] != generation:
            return generation, None
        return generation, StoredAnswer(stored[2 * _NAME :], stored[_NAME : 2 * _NAME].decode())

    async def _ask(self, part: Part, key: str) -> tuple[bytes | None, bytes | None]:
        """(generation, stored bytes). All questions that come up meanwhile go to Redis together, in one call."""
        question = _Question(part, key, asyncio.get_running_loop().create_future())
        self._questions.append(question)
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask_redis())
        return await question.found

    async def _ask_redis(self) -> None:
        while self._questions:
            asked, self._questions = self._questions, []
            keys = list({question.key for question in asked})
            found = await self._fetch(keys)
            for question in asked:
                if not question.found.done():
                    question.found.set_result((found.get(question.part), found.get(question.key)))

    async def _fetch(self, keys: list[str]) -> dict[str, bytes | None]:
        """Empty while Redis is away."""
        if time.monotonic() < self._redis_back_at:
            return {}
        outdated, self._outdated = self._outdated, set()
        connections = self._connections
        names = [*PARTS, *keys]
        try:
            async with self._redis.pipeline(transaction=False) as calls:
                for part in outdated:
                    calls.set(self._name(part), uuid4().hex)
                calls.mget([self._name(name) for name in names])
                values = (await calls.execute())[-1]
        except Exception as error:  # whatever it is: those who ask must not wait for ever
            self._lose_redis(error)
            return {}
        self._redis_back_at = 0.0
        if self._connections != connections:
            return {}
        found = dict(zip(names, values, strict=True))
        self._outdated.update(part for part in PARTS if found[part] is None)
        return found

    async def _greet(self, connection: Connection) -> None:
        """A connection is renewed without a word: what is behind it now may be a Redis of an earlier state."""
        await connection.on_connect()
        self._connections += 1
        self._outdated.update(PARTS)

    def tell_informed(self, is_informed: bool) -> None:
        """Does this process hear of changes? Only then is anything taken from Redis."""
        self._is_informed = is_informed

    def expire(self, *parts: Part) -> None:
        """From now on, nothing that was stored for these parts is given out by this process."""
        self._outdated.update(parts)

    async def settle(self) -> None:
        """Return when no process gives out any more what has expired here, or when Redis is away."""
        await self._ask("services", "services")

    def _lose_redis(self, error: Exception) -> None:
        """What Redis still holds when it comes back may be from before changes of which it was not told."""
        self._outdated.update(PARTS)
        if not self._redis_back_at:
            log.warning("cache_away", error=repr(error)[:200])
        self._redis_back_at = time.monotonic() + _PAUSE_WITHOUT_REDIS_S

    def _name(self, key: str) -> str:
        return f"{self._prefix}:{key}"

    async def close(self) -> None:
        if self._asking is not None:
            self._asking.cancel()
        await self._redis.aclose()


async def _read_answer(read: Callable[[], bytes]) -> StoredAnswer:
    body = await anyio.to_thread.run_sync(read)
    return StoredAnswer(body, hashlib.sha256(body).hexdigest()[:_NAME])
