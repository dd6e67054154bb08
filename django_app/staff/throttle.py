"""Failed log-ins of local accounts are counted here; those of platform accounts user_service counts."""

import hashlib
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

from django.conf import settings
from limits import RateLimitItem, RateLimitItemPerMinute
from limits.errors import StorageError
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import FixedWindowRateLimiter
from redis.backoff import NoBackoff
from redis.retry import Retry

from django_app.staff.authority import RefusedError
from microservices.kernel.logs import get_logger

# Tight for an account from one address, so that strangers cannot lock people out of their own accounts.
_PAIR = RateLimitItemPerMinute(10, 15, namespace="django:failed_logins:pair")
_ACCOUNT = RateLimitItemPerMinute(100, 15, namespace="django:failed_logins:account")
_ADDRESS = RateLimitItemPerMinute(200, 15, namespace="django:failed_logins:address")
_PATIENCE_S = 0.5

log = get_logger(__name__)

Counter = tuple[RateLimitItem, tuple[str, ...]]


@dataclass
class Attempt:
    wrong: bool = False


class Throttle:
    """Without Redis, which a break-glass account may be there to mend, this process counts for itself."""

    def __init__(self, redis_url: str) -> None:
        shared = RedisStorage(
            redis_url,
            wrap_exceptions=True,
            socket_timeout=_PATIENCE_S,
            socket_connect_timeout=_PATIENCE_S,
            retry=Retry(NoBackoff(), 1),  # type: ignore[arg-type]  # passed on to redis-py as it is
        )
        self._limiters = [FixedWindowRateLimiter(shared), FixedWindowRateLimiter(MemoryStorage())]

    @contextmanager
    def attempt(self, email: str, address: str) -> Iterator[Attempt]:
        """A try: counted before it is made, so that many at once are no more than one after the other, and given back
        when it was no wrong guess. Raises RefusedError when it may not be made yet.
        """
        counters = _list_counters(email, address)
        counted = self._count(counters)
        attempt = Attempt()
        try:
            yield attempt
        finally:
            if not attempt.wrong:
                self._give_back(counted, counters)

    def _count(self, counters: list[Counter]) -> list[FixedWindowRateLimiter]:
        """Where it was counted: in both places, since Redis may go away between two tries."""
        counted: list[FixedWindowRateLimiter] = []
        for limiter in self._limiters:
            try:
                if wait_s := _count_at(limiter, counters):
                    self._give_back(counted, counters)
                    raise RefusedError(f"Too many log-ins have failed. Wait {wait_s} s before the next.")
                counted.append(limiter)
            except StorageError as error:
                log.warning("login_throttle_unavailable", error=repr(error))
        return counted

    def _give_back(self, limiters: list[FixedWindowRateLimiter], counters: list[Counter]) -> None:
        for limiter in limiters:
            try:
                _take_off(limiter, counters)
            except StorageError as error:
                log.warning("login_throttle_unavailable", error=repr(error))


def _count_at(limiter: FixedWindowRateLimiter, counters: list[Counter]) -> int:
    """Seconds to wait, and then nothing is counted; 0: it is."""
    for place, (limit, names) in enumerate(counters):
        if not limiter.hit(limit, *names):
            resets_at = limiter.get_window_stats(limit, *names).reset_time
            _take_off(limiter, counters[: place + 1])
            return max(1, math.ceil(resets_at - time.time()))
    return 0


def _take_off(limiter: FixedWindowRateLimiter, counters: list[Counter]) -> None:
    for limit, names in counters:
        limiter.hit(limit, *names, cost=-1)


def _list_counters(email: str, address: str) -> list[Counter]:
    """Hashes: neither personal data nor characters of somebody's choice get into the keys."""
    account, source = (hashlib.sha256(text.encode()).hexdigest()[:32] for text in (email, address))
    return [(_PAIR, (account, source)), (_ACCOUNT, (account,)), (_ADDRESS, (source,))]


@cache
def get_throttle() -> Throttle:
    """One per process: what it counts itself must outlive the requests."""
    return Throttle(settings.CELERY_BROKER_URL)
