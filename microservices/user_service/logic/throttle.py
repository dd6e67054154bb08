"""Failed log-ins are counted, so that passwords cannot be guessed by trying.

Counted are the failures of an account from one address (what a guesser makes), of an account from everywhere (many
addresses guess) and of an address (many accounts are tried). The first is the tight one: by it, strangers cannot lock
people out of their own accounts.

The counters are in Redis, since they are many, short-lived, and written by anybody. Without Redis log-ins go on
uncounted: locking everyone out would be the greater harm, argon2 keeps guessing slow, and the log says it.
"""

import hashlib
import math
import time

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

    def check(self, email: str, address: str) -> None:
        """Raises `TooManyAttemptsError` when there have been too many failures lately."""
        try:
            for limit, names in _list_counters(email, address):
                if not self._limiter.test(limit, *names):
                    resets_at = self._limiter.get_window_stats(limit, *names).reset_time
                    raise TooManyAttemptsError(max(1, math.ceil(resets_at - time.time())))
        except StorageError as error:
            log.warning("login_throttle_unavailable", error=repr(error))

    def note_failure(self, email: str, address: str) -> None:
        try:
            for limit, names in _list_counters(email, address):
                self._limiter.hit(limit, *names)
        except StorageError as error:
            log.warning("login_throttle_unavailable", error=repr(error))

    def forgive(self, email: str, address: str) -> None:
        """The right password was given: earlier mistakes from there were its owner's."""
        try:
            limit, names = _list_counters(email, address)[0]
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
