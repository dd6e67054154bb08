"""Failed log-ins are counted, so that passwords cannot be guessed by trying.

A try is counted before it is made and given back when it was no wrong guess: of many at once, no more get through than
one after the other would. Counted are the failures of an account from one address (what a guesser makes), of an account
from everywhere (many addresses guess) and of an address (many accounts are tried). The first is the tight one: by it,
strangers cannot lock people out of their own accounts.

The counters are in Redis, since they are many, short-lived, and written by anybody. Without Redis log-ins go on
uncounted: locking everyone out would be the greater harm, argon2 keeps guessing slow, and the log says it.
"""

import hashlib
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.errors import StorageError
from limits.storage import RedisStorage
from limits.strategies import FixedWindowRateLimiter
from redis.backoff import NoBackoff
from redis.retry import Retry

from microservices.kernel.logs import get_logger
from microservices.user_service.errors import TooManyAttemptsError

_PAIR = RateLimitItemPerMinute(10, 15, namespace="user_service:failed_logins:pair")
_ACCOUNT = RateLimitItemPerMinute(100, 15, namespace="user_service:failed_logins:account")
_ADDRESS = RateLimitItemPerMinute(200, 15, namespace="user_service:failed_logins:address")
_PATIENCE_S = 0.5

log = get_logger(__name__)

Counter = tuple[RateLimitItem, tuple[str, ...]]


@dataclass
class Attempt:
    """What became of a try. `open`: nothing was guessed, as when a code is still missing or the database is away."""

    outcome: Literal["open", "wrong", "right"] = "open"


class LoginThrottle:
    def __init__(self, redis_url: str) -> None:
        self._storage = RedisStorage(
            redis_url,
            wrap_exceptions=True,
            socket_timeout=_PATIENCE_S,
            socket_connect_timeout=_PATIENCE_S,
            retry=Retry(NoBackoff(), 1),  # type: ignore[arg-type]  # passed on to redis-py as it is
        )
        self._limiter = FixedWindowRateLimiter(self._storage)

    @contextmanager
    def attempt(self, email: str, address: str) -> Iterator[Attempt]:
        """Whoever makes the try notes its outcome. Raises `TooManyAttemptsError` when it may not be made yet."""
        counters = _list_counters(email, address)
        counted = self._count(counters)
        attempt = Attempt()
        try:
            yield attempt
        finally:
            if attempt.outcome != "wrong" and counted:
                self._give_back(counters)
            if attempt.outcome == "right":
                self._forgive(*counters[0])

    def _count(self, counters: list[Counter]) -> bool:
        """Was the try counted? Not without Redis."""
        try:
            for place, (limit, names) in enumerate(counters):
                if not self._limiter.hit(limit, *names):
                    resets_at = self._limiter.get_window_stats(limit, *names).reset_time
                    self._give_back(counters[: place + 1])
                    raise TooManyAttemptsError(max(1, math.ceil(resets_at - time.time())))
        except StorageError as error:
            log.warning("login_throttle_unavailable", error=repr(error))
            return False
        return True

    def _give_back(self, counters: list[Counter]) -> None:
        try:
            for limit, names in counters:
                self._limiter.hit(limit, *names, cost=-1)
        except StorageError as error:
            log.warning("login_throttle_unavailable", error=repr(error))

    def _forgive(self, limit: RateLimitItem, names: tuple[str, ...]) -> None:
        """The right password was given: earlier mistakes from there were its owner's."""
        try:
            self._limiter.clear(limit, *names)
        except StorageError as error:
            log.warning("login_throttle_unavailable", error=repr(error))

    def ping(self) -> None:
        if not self._storage.check():
            raise ConnectionError("Redis does not answer")


def _list_counters(email: str, address: str) -> list[Counter]:
    """The addresses as hashes: neither personal data nor characters of somebody's choice get into the keys."""
    account, source = (hashlib.sha256(text.encode()).hexdigest()[:32] for text in (email, address))
    return [(_PAIR, (account, source)), (_ACCOUNT, (account,)), (_ADDRESS, (source,))]
