"""Whether a site has room for one more job of the account: it says no only after the whole body, which is gigabytes."""

import re
import time
from weakref import WeakKeyDictionary

import aiohttp

from microservices.backends.base import CredentialRefusedError, SiteError, SiteFullError
from microservices.backends.michigan.answers import read_model
from microservices.backends.michigan.client import CloudgeneClient
from microservices.backends.michigan.wire import JobPage

_SITE_FULL = re.compile(r"only (\d{1,6}) jobs? per user", re.IGNORECASE)
_UNFINISHED = (1, 2, 3)
# A site may change its limit, and tells it only when it refuses: so long (seconds) it is held for what it was.
_GOOD_FOR_S = 3600.0
_TOLD: WeakKeyDictionary[aiohttp.ClientSession, tuple[int, float]] = WeakKeyDictionary()


def read_limit(client: CloudgeneClient, words: str) -> bool:
    """Whether a refusal's words are about the limit of simultaneous jobs; it is remembered as long as the session."""
    found = _SITE_FULL.search(words)
    if found is not None:
        _TOLD[client.session] = int(found[1]), time.monotonic() + _GOOD_FOR_S
    return found is not None


async def check_place(client: CloudgeneClient) -> None:
    """Raises `SiteFullError` where the newest jobs of the account, whoever sent them, already reach a known limit."""
    limit = _find_limit(client)
    if limit is None:
        return
    try:
        page = read_model(await client.call("/api/v2/jobs?page=1"), JobPage)
    except CredentialRefusedError:
        raise
    except SiteError:
        return  # the site itself has the last word
    taken = sum(job.state in _UNFINISHED for job in page.data)
    if taken >= limit:
        raise refuse_more(f"The site takes {limit} jobs of this account at a time, and {taken} are there.")


def refuse_more(words: str) -> SiteFullError:
    return SiteFullError(words, code="site_full", fix="It is sent when one of the account's jobs has ended.")


def _find_limit(client: CloudgeneClient) -> int | None:
    """The curator's, and what the site last told; the lower counts."""
    told, until = _TOLD.get(client.session, (None, 0.0))
    known = (client.connection.api_config.max_concurrent_jobs, told if time.monotonic() < until else None)
    return min((limit for limit in known if limit is not None), default=None)
