"""Whether a download that broke may go on where it broke, and how the rest is asked for (RFC 9110, sections 13 and 14).

Only a store that says so can do it: one that offers byte ranges, and names the bytes with a strong validator, so that
the rest is surely of the same file.
"""

import re
from dataclasses import dataclass, field

import aiohttp
from yarl import URL

_STRONG = re.compile(r'"[\x21\x23-\x7e]*"')
_LEAST_BYTES = 1024**2
_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)")


@dataclass(frozen=True)
class Rest:
    """Where the rest of a file can be had; `url` is a secret where it is presigned. `size`: of all of it, if known."""

    url: URL = field(repr=False)
    etag: str
    size: int | None

    def ask(self, start: int) -> dict[str, str]:
        """For the bytes from `start`; for all of them should they not be the same any more."""
        return {"Range": f"bytes={start}-", "If-Range": self.etag}

    def needs_at_least(self) -> int:
        """So many bytes before the next break, or going on is not worth it: 1 MiB, or 1 % where that is less."""
        return _LEAST_BYTES if self.size is None else max(1, min(_LEAST_BYTES, self.size // 100))

    def is_given(self, response: aiohttp.ClientResponse, start: int) -> bool:
        """Whether the answer to `ask` goes on at `start`, to the end of the same file."""
        given = _RANGE.fullmatch(response.headers.get("Content-Range", ""))
        same = response.headers.get("ETag", self.etag) == self.etag
        if response.status != 206 or not same or given is None or int(given[1]) != start:
            return False
        end = int(given[2]) + 1
        size = self.size if given[3] == "*" else int(given[3])
        return size in (None, end) and self.size in (None, size)


def find_rest(response: aiohttp.ClientResponse) -> Rest | None:
    """What the store offers with its answer; None: a break means to begin again."""
    headers = response.headers
    offers = headers.get("Accept-Ranges", "").strip().lower() == "bytes" or response.status == 206
    etag = headers.get("ETag", "")
    if not offers or not _STRONG.fullmatch(etag) or "Content-Encoding" in headers:
        return None
    part = _RANGE.fullmatch(headers.get("Content-Range", ""))
    total = (part[3] if part else "*") if response.status == 206 else headers.get("Content-Length", "")
    return Rest(response.url, etag, int(total) if total.isdecimal() else None)
