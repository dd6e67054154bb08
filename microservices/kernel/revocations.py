"""Log-ins that were ended before their tokens do: every verifier has them in memory, and hears of new ones from Redis.

The truth is in user_service's database; Redis is only how it gets around. Nothing is asked per request. While Redis is
away, or has lost its data, what was heard before still holds: a log-in that was ended never comes back.
"""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any
from uuid import uuid4

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from microservices.kernel.logs import get_logger

# A sorted set, log-in (`sid`) → when its last access token ends (unix s); and a name for its state, changed with it.
_SESSIONS, _VERSION = "revoked_sessions", "revoked_sessions:version"
_LOOK_EVERY_S = 1.0
_PATIENCE_S = 1.0

Listener = Callable[[frozenset[str]], None]

log = get_logger(__name__)


class RevokedSessions:
    """`session_id in revoked` costs a look into a dictionary. Bounded: a log-in is forgotten once its tokens ended."""

    def __init__(self) -> None:
        self._ends_at: dict[str, float] = {}
        self._listeners: list[Listener] = []
        self._lock = threading.Lock()
        self._version: bytes | None = None

    def __contains__(self, session_id: str) -> bool:
        return session_id in self._ends_at

    def __len__(self) -> int:
        return len(self._ends_at)

    def listen(self, listener: Listener) -> None:
        """`listener` is called with log-ins that were not known to be ended, from whatever thread learns it."""
        self._listeners.append(listener)

    def add(self, ends_at: Mapping[str, float]) -> None:
        """`ends_at`: log-in → unix time at which the last of its access tokens ends."""
        now = time.time()
        with self._lock:
            news = frozenset(ends_at) - self._ends_at.keys()
            known = {**self._ends_at, **ends_at}
            self._ends_at = {session_id: end for session_id, end in known.items() if end > now}
        if news:
            for listener in self._listeners:
                listener(news)

    def read(self, client: redis.Redis) -> None:
        """Hear what is new. Raises `redis.RedisError`."""
        version: Any = client.get(_VERSION)
        if version is None or version == self._version:
            return
        found: Any = client.zrangebyscore(_SESSIONS, time.time(), "+inf", withscores=True)
        self.add({name.decode(): end for name, end in found})
        self._version = version


def connect_for_revocations(redis_url: str) -> redis.Redis:
    return redis.Redis.from_url(
        redis_url,
        socket_timeout=_PATIENCE_S,
        socket_connect_timeout=_PATIENCE_S,
        retry=Retry(NoBackoff(), 1),
    )


def publish_revocations(client: redis.Redis, ends_at: Mapping[str, float]) -> bool:
    """Write those that Redis does not have (any more); were there any? Only user_service does this."""
    found: Any = client.zrange(_SESSIONS, 0, -1)
    present = {name.decode() for name in found}
    missing = {name: end for name, end in ends_at.items() if name not in present}
    if not missing:
        return False
    with client.pipeline(transaction=True) as pipeline:
        pipeline.zadd(_SESSIONS, missing)
        pipeline.zremrangebyscore(_SESSIONS, "-inf", time.time())
        pipeline.set(_VERSION, uuid4().hex)
        pipeline.execute()
    return True


@contextmanager
def following(revoked: RevokedSessions, redis_url: str) -> Iterator[None]:
    """Keep `revoked` up to date from a thread; an absence of Redis is logged once, not every second."""
    stop = threading.Event()
    thread = threading.Thread(target=follow_revocations, args=(revoked, redis_url, stop), name="revocations")
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(timeout=5)


def follow_revocations(revoked: RevokedSessions, redis_url: str, stop: threading.Event) -> None:
    away = False
    with closing(connect_for_revocations(redis_url)) as client:
        while True:
            try:
                revoked.read(client)
                away = False
            except redis.RedisError as error:
                if not away:
                    log.warning("revocations_not_read", error=repr(error)[:300])
                away = True
            if stop.wait(_LOOK_EVERY_S):
                return
