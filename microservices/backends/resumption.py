"""Whether a download that broke may go on where it broke, and how the rest is asked for (RFC 9110, sections 13 and 14).

Only a store that says so can do it: one that offers byte ranges, and names the bytes with a strong validator, so that
the rest is surely of the same file.
"""

import re
from dataclasses import dataclass, field

import aiohttp
from yarl import URL

_STRONG = re.compile(r'"[\x21\x23-\x7e]*"')
_RANGE = re.compile(r"bytes (\d+)-\d+/(?:\d+|\*)")


@dataclass(frozen=True)
class Rest:
    """Where the rest of a file can be had; `url` is a secret where it is presigned."""

    url: URL = field(repr=False)
    etag: str

    def ask(self, start: int) -> dict[str, str]:
        """For the bytes from `start`; for all of them should they not be the same any more."""
        return {"Range": f"bytes={start}-", "If-Range": self.etag}

    def is_given(self, response: aiohttp.ClientResponse, start: int) -> bool:
        """Whether the answer to `ask` goes on at `start`, with the same file."""
        begins = _RANGE.match(response.headers.get("Content-Range", ""))
        same = response.headers.get("ETag", self.etag) == self.etag
        return response.status == 206 and same and begins is not None and int(begins[1]) == start


def find_rest(response: aiohttp.ClientResponse) -> Rest | None:
    """What the store offers with its answer; None: a break means to begin again."""
    headers = response.headers
    offers = headers.get("Accept-Ranges", "").strip().lower() == "bytes" or response.status == 206
    etag = headers.get("ETag", "")
    if not offers or not _STRONG.fullmatch(etag) or "Content-Encoding" in headers:
        return None
    return Rest(response.url, etag)
