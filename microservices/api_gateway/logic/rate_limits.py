"""Rate limits: decided here at once, counted together in Redis.

Each gateway decides from what Redis last said plus what it has let in since, and tells Redis about all of that in one
Lua call every few milliseconds. So a request never waits for Redis, except the first of a caller in a window; several
gateways share one count, off by what the others let in within those milliseconds; and while Redis is away, counting
goes on here and reaches it later. Windows are fixed and aligned to the clock, so that all gateways mean the same one.
"""

import asyncio
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import ip_address, ip_network

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from microservices.api_gateway.logic.headers import Header
from microservices.api_gateway.logic.tiers import Tier
from microservices.kernel.logs import get_logger

_TELL_EVERY_S = 0.02
_WAIT_FOR_REDIS_S = 0.25
_PAUSE_WITHOUT_REDIS_S = 1.0
_KEYS_PER_CALL = 500
_CALLERS_KEPT = 100_000
_NO_LIMIT = 999_999_999_999_999  # the greatest integer that a structured header can say (RFC 9651, section 3.3.1)

# KEYS: one per caller and window. ARGV: for each, how many were let in since, how many there are at least (a Redis
# that has lost its data learns it again), and for how many seconds it is of interest. Answers the counts.
_COUNT = """
local counts = {}
for i, key in ipairs(KEYS) do
  local count = redis.call('INCRBY', key, ARGV[3 * i - 2])
  local known = tonumber(ARGV[3 * i - 1])
  if count < known then
    redis.call('SET', key, known)
    count = known
  end
  redis.call('EXPIRE', key, ARGV[3 * i])
  counts[i] = count
end
return counts
"""

log = get_logger(__name__)


@dataclass(eq=False)
class _Window:
    key: str
    ends_at: float
    count: int = 0
    untold: int = 0
    opening: asyncio.Task[bool] | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Verdict:
    """May the request pass? `headers` tell the caller how it stands (draft-ietf-httpapi-ratelimit-headers-10)."""

    allowed: bool
    headers: list[Header]
    retry_after_s: int = 0


class RateLimiter:
    def __init__(self, redis_url: str) -> None:
        self._redis = Redis.from_url(redis_url, socket_timeout=1, socket_connect_timeout=1, retry=Retry(NoBackoff(), 1))
        self._count = self._redis.register_script(_COUNT)
        self._windows: dict[tuple[str, str], _Window] = {}
        self._untold: set[_Window] = set()
        self._wake = asyncio.Event()
        self._redis_back_at = 0.0

    async def judge(self, subject: str, tier: Tier, *, counts: bool) -> Verdict:
        """Count one request of `subject`, or (`counts` false) only say how it stands."""
        if tier.requests is None:
            return _unlimited(tier)
        now = time.time()
        window = self._windows.get((tier.name, subject))
        if window is None or window.ends_at <= now:
            window = self._open_window(subject, tier, now)
        if window.opening is not None and not window.opening.done():
            await asyncio.shield(window.opening)
        seconds = max(1, math.ceil(window.ends_at - now))
        allowed = not counts or window.count < tier.requests
        if allowed and counts:
            self._let_in(window)
        left = max(0, tier.requests - window.count)
        return Verdict(allowed, _describe(tier, left, seconds), 0 if allowed else seconds)

    def _open_window(self, subject: str, tier: Tier, now: float) -> _Window:
        number = int(now // tier.window_s)
        window = _Window(f"ratelimit:{tier.name}:{subject}:{tier.window_s}:{number}", (number + 1) * tier.window_s)
        self._windows[tier.name, subject] = window
        if len(self._windows) > _CALLERS_KEPT:
            self._forget(now)
        if time.monotonic() >= self._redis_back_at:
            window.opening = asyncio.create_task(self._tell([window]))
        return window

    def _let_in(self, window: _Window) -> None:
        window.count += 1
        window.untold += 1
        self._untold.add(window)
        self._wake.set()

    def _forget(self, now: float) -> None:
        """Windows that have ended; when that is not enough, the oldest (Redis still knows them)."""
        self._windows = {caller: window for caller, window in self._windows.items() if window.ends_at > now}
        for caller in list(self._windows)[: max(0, len(self._windows) - _CALLERS_KEPT // 2)]:
            del self._windows[caller]

    async def keep_telling(self) -> None:
        while True:
            await self._wake.wait()
            await asyncio.sleep(_TELL_EVERY_S)
            self._wake.clear()
            if not await self.tell_all():
                await asyncio.sleep(_PAUSE_WITHOUT_REDIS_S)
                self._wake.set()

    async def tell_all(self) -> bool:
        """Tell Redis all that it does not know yet; False when it does not answer."""
        windows, self._untold = list(self._untold), set()
        for start in range(0, len(windows), _KEYS_PER_CALL):
            if not await self._tell(windows[start : start + _KEYS_PER_CALL]):
                self._untold.update(windows[start:])
                return False
        return True

    async def _tell(self, windows: Sequence[_Window]) -> bool:
        now = time.time()
        told = [window.untold for window in windows]
        arguments: list[int] = []
        for window, number in zip(windows, told, strict=True):
            arguments += (number, window.count, max(1, int(window.ends_at - now) + 60))
        try:
            async with asyncio.timeout(_WAIT_FOR_REDIS_S):
                counts = await self._count(keys=[window.key for window in windows], args=arguments)
        except (RedisError, OSError) as error:
            self._note_absence(error)
            return False
        for window, number, count in zip(windows, told, counts, strict=True):
            window.untold -= number
            window.count = int(count) + window.untold
        self._redis_back_at = 0.0
        return True

    def _note_absence(self, error: Exception) -> None:
        if not self._redis_back_at:
            log.warning("rate_limits_counted_here_only", error=repr(error)[:300])
        self._redis_back_at = time.monotonic() + _PAUSE_WITHOUT_REDIS_S

    async def close(self) -> None:
        await self.tell_all()
        await self._redis.aclose()


@lru_cache(maxsize=64)
def _policy(tier: Tier) -> bytes:
    return f'"{tier.name}";q={_NO_LIMIT if tier.requests is None else tier.requests};w={tier.window_s}'.encode()


@lru_cache(maxsize=64)
def _unlimited(tier: Tier) -> Verdict:
    standing = f'"{tier.name}";r={_NO_LIMIT}'.encode()
    return Verdict(True, [(b"ratelimit-policy", _policy(tier)), (b"ratelimit", standing)])


def _describe(tier: Tier, left: int, seconds: int) -> list[Header]:
    return [(b"ratelimit-policy", _policy(tier)), (b"ratelimit", f'"{tier.name}";r={left};t={seconds}'.encode())]


@lru_cache(maxsize=10_000)
def name_address(address: str) -> str:
    """Who a caller without a token is: its IPv4 address, or its IPv6 network, since a household has 2⁶⁴ addresses."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return "address:unknown"
    if parsed.version == 6:
        return f"address:{ip_network((parsed, 64), strict=False)}"
    return f"address:{parsed}"
