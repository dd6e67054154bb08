"""Failed log-ins of local accounts are counted here; those of platform accounts user_service counts."""

import hashlib
import math
import time
from functools import cache

from django.conf import settings
from limits import RateLimitItem, RateLimitItemPerMinute
from limits.errors import StorageError
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import FixedWindowRateLimiter
from redis.backoff import NoBackoff
from redis.retry import Retry

from microservices.kernel.logs import get_logger

# Tight for an account from one address, so that strangers cannot lock people out of their own accounts.
_PAIR = RateLimitItemPerMinute(10, 15, namespace="django:failed_logins:pair")
_ACCOUNT = RateLimitItemPerMinute(100, 15, namespace="django:failed_logins:account")
_ADDRESS = RateLimitItemPerMinute(200, 15, namespace="django:failed_logins:address")
_PATIENCE_S = 0.5

log = get_logger(__name__)


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

    def measure_wait(self, email: str, address: str) -> int:
        """Seconds to wait before the next try; 0: try now."""
        for limiter in self._limiters:
            try:
                waits = [_measure_wait(limiter, limit, names) for limit, names in _list_counters(email, address)]
                if any(waits):
                    return max(waits)
            except StorageError as error:
                log.warning("login_throttle_unavailable", error=repr(error))
        return 0

    def note_failure(self, email: str, address: str) -> None:
        """Counted in both places: Redis may go away between two tries."""
        for limiter in self._limiters:
            try:
                for limit, names in _list_counters(email, address):
                    limiter.hit(limit, *names)
            except StorageError as error:
                log.warning("login_throttle_unavailable", error=repr(error))


def _measure_wait(limiter: FixedWindowRateLimiter, limit: RateLimitItem, names: tuple[str, ...]) -> int:
    if limiter.test(limit, *names):
        return 0
    return max(1, math.ceil(limiter.get_window_stats(limit, *names).reset_time - time.time()))


def _list_counters(email: str, address: str) -> list[tuple[RateLimitItem, tuple[str, ...]]]:
    """Hashes: neither personal data nor characters of somebody's choice get into the keys."""
    account, source = (hashlib.sha256(text.encode()).hexdigest()[:32] for text in (email, address))
    return [(_PAIR, (account, source)), (_ACCOUNT, (account,)), (_ADDRESS, (source,))]


@cache
def get_throttle() -> Throttle:
    """One per process: what it counts itself must outlive the requests."""
    return Throttle(settings.CELERY_BROKER_URL)
