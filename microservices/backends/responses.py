"""Answers as they come over the wire, before anybody asks what they mean."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import aiohttp

from microservices.backends.base import SiteUnavailableError

MAX_ANSWER_BYTES = 32 * 1024**2
# A probe's answers are some kilobytes, and thousands of sites may be asked at once.
MAX_PROBE_BYTES = 1024**2
MAX_RETRY_AFTER_S = 86_400.0


async def read_bounded(response: aiohttp.ClientResponse, limit: int = MAX_ANSWER_BYTES) -> bytes:
    """The body of an ordinary answer; a site must not fill our memory."""
    body = bytearray()
    while chunk := await response.content.readany():
        body += chunk
        if len(body) > limit:
            raise SiteUnavailableError(
                f"The site's answer is larger than {limit} bytes, which makes no sense here.", code="answer_too_large"
            )
    return bytes(body)


def parse_retry_after(value: str | None, now: datetime | None = None) -> float | None:
    """Seconds from a `Retry-After` (seconds or an HTTP date); None where there is none that can be read."""
    if value is None:
        return None
    if value.strip().isdecimal():
        return min(float(value), MAX_RETRY_AFTER_S)
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    seconds = (moment - (now or datetime.now(UTC))).total_seconds()
    return min(max(0.0, seconds), MAX_RETRY_AFTER_S)
