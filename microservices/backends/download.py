"""Fetch one result file, once.

Sites count downloads, and a GET counts also when it breaks half-way: no counted one is repeated here. Where going on
costs nobody a download, and the store offers it, the rest of a broken one is asked for (`resumption`). What goes along
with a request is decided for each address anew, since a site may redirect to a storage that must not see a token.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import aiohttp
from yarl import URL

from microservices.backends.base import ResultRefusedError, SiteConnection, SiteError, SiteFile, SiteUnavailableError
from microservices.backends.egress import read_address
from microservices.backends.failures import translate_failures
from microservices.backends.responses import read_bounded
from microservices.backends.resumption import Rest, find_rest
from microservices.backends.session import build_stream_timeout

REDIRECTS = frozenset({301, 302, 303, 307, 308})
MAX_REDIRECTS = 2
WRITE_BYTES = 1024**2
# Seconds before each try to go on; from the first again whenever enough has come (`resumption.needs_at_least`).
RESUME_PAUSES_S = (0.1, 1.0, 5.0, 20.0)
_BREAKS = (aiohttp.ClientError, TimeoutError)


@dataclass(frozen=True)
class Source:
    """Where results come from: `explain` says what a refusal (its whole body read) means for a file."""

    session: aiohttp.ClientSession
    connection: SiteConnection
    idle_s: float
    explain: Callable[[aiohttp.ClientResponse, bytes, SiteFile], SiteError]
    authorise: Callable[[URL], dict[str, str]] = lambda _url: {}


class _DroppedError(aiohttp.ClientError):
    """A connection that broke before an answer; unlike the library's own error it is not answered by a second GET."""


async def download_file(source: Source, url: URL, file: SiteFile, destination: Path) -> None:
    """Stream the file to `destination`; nothing stays there when it fails.

    Raises `ResultRefusedError`, `SiteUnavailableError`, or what `source.explain` gives.
    """
    try:
        with translate_failures(), open_spool(destination) as spool:
            await _receive(source, url, file, spool)
            size = spool.tell()
        check_size(file, size, size)
    except BaseException:
        await asyncio.shield(asyncio.to_thread(destination.unlink, missing_ok=True))
        raise


async def _receive(source: Source, url: URL, file: SiteFile, spool: BinaryIO) -> None:
    """All of the file. A break that cannot be mended is told as what it was: the site has counted by then."""
    broke, rest = await _read_answer(source, url, file, spool, None)
    tries, furthest = 0, spool.tell()
    while broke is not None:
        if rest is None:
            raise broke
        if tries == len(RESUME_PAUSES_S):
            raise _give_up(file, furthest)
        await asyncio.sleep(RESUME_PAUSES_S[tries])
        enough = furthest + rest.needs_at_least()
        try:
            again, rest = await _read_answer(source, rest.url, file, spool, rest)
        except SiteError as error:
            raise (error if error.whose == "platform" else broke) from None
        except _BREAKS as error:
            again = error
        came, broke = spool.tell(), again
        tries, furthest = (0, came) if came >= enough else (tries + 1, furthest)


def _give_up(file: SiteFile, furthest: int) -> SiteError:
    """A storage that breaks again after every few bytes would otherwise keep a worker for ever."""
    return SiteUnavailableError(
        f"The site's storage broke off {file.filename} again and again, with hardly anything in between:"
        f" {furthest:,} bytes of it came.",
        code="connection_lost",
    )


async def _read_answer(
    source: Source, url: URL, file: SiteFile, spool: BinaryIO, rest: Rest | None
) -> tuple[Exception | None, Rest | None]:
    """What broke it off before its end, and where the rest could then be had."""
    headers = rest.ask(spool.tell()) if rest is not None else {}
    async with _open_download(source, url, file, headers) as response:
        _refuse_page(response, file)
        if rest is not None and not rest.is_given(response, spool.tell()):
            _begin_again(response, spool)
        counts = file.downloads_left is not None and rest is None and response.url.origin() == url.origin()
        return await _write_body(response, file, spool), None if counts else find_rest(response)


def _begin_again(response: aiohttp.ClientResponse, spool: BinaryIO) -> None:
    """The store gives the whole file, as it is not the same any more."""
    if response.status != 200:
        raise SiteUnavailableError("The site's storage sent another part than it was asked for.", code="range_unusable")
    spool.seek(0)
    spool.truncate()


@asynccontextmanager
async def _open_download(
    source: Source, url: URL, file: SiteFile, headers: dict[str, str]
) -> AsyncIterator[aiohttp.ClientResponse]:
    """The answer that carries the bytes, at the end of at most two redirects."""
    for _ in range(MAX_REDIRECTS + 1):
        async with source.session.get(
            url,
            headers={"Accept-Encoding": "identity", **headers, **source.authorise(url)},
            timeout=build_stream_timeout(source.connection, source.idle_s),
            allow_redirects=False,
            auto_decompress=not file.filename.endswith((".gz", ".bgz")),  # some servers call their own gzip a coding
            middlewares=(_send_once,),
        ) as response:
            if response.status == 200 or (response.status == 206 and "Range" in headers):
                yield response
                return
            if response.status not in REDIRECTS:
                raise source.explain(response, await read_bounded(response), file)
            url = _follow(source.connection, url, response.headers.get("Location", ""))
    raise SiteError("The site's link to a result redirects without end.", code="redirected")


async def _send_once(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """The library sends a GET again whose connection dropped; here the first may already have been counted."""
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError):
        raise _DroppedError from None


def _follow(connection: SiteConnection, url: URL, location: str) -> URL:
    """The redirect's target, its signature untouched; the session judges its address when it connects."""
    target = read_address(location, url)
    if not location or target is None or not is_secure(connection, target) or target == url:
        raise SiteError(
            "The site redirects a download to an address that is not a usable https address.", code="redirect_unsafe"
        )
    return target


def is_secure(connection: SiteConnection, url: URL) -> bool:
    """Whether genotypes may come from there: https, and on an internal network also http."""
    is_plain = url.scheme == "http" and connection.api_config.allow_private_network
    return bool(url.host) and (url.scheme == "https" or is_plain)


def _refuse_page(response: aiohttp.ClientResponse, file: SiteFile) -> None:
    """A proxy's maintenance page may come with 200; types are no proof here, but no other result is HTML."""
    if response.content_type == "text/html" and not file.filename.endswith(".html"):
        raise SiteUnavailableError(f"The site answered with a page instead of {file.filename}.", code="answer_not_json")


async def _write_body(response: aiohttp.ClientResponse, file: SiteFile, spool: BinaryIO) -> Exception | None:
    """What broke the body off; its end (of the chunked stream, or the length) is checked by the HTTP library."""
    size, pending, broke = spool.tell(), bytearray(), None
    try:
        async for chunk in response.content.iter_any():
            size += len(chunk)
            check_size(file, size, None)
            pending += chunk
            if len(pending) >= WRITE_BYTES:
                await asyncio.to_thread(write_spool, spool, bytes(pending))
                pending.clear()
    except _BREAKS as error:
        broke = error
    await asyncio.to_thread(write_spool, spool, bytes(pending))
    return broke


def check_size(file: SiteFile, size: int, end: int | None) -> None:
    """Too much is refused as soon as it comes; too little at the end."""
    if file.size_range is None:
        return
    least, most = file.size_range
    if size > most or (end is not None and end < least):
        raise ResultRefusedError(
            f"The file {file.filename} is not as large as the site says ({least}–{most} bytes): {size} bytes came.",
            code="size_mismatch",
        )


def open_spool(destination: Path) -> BinaryIO:
    try:
        return destination.open("wb")
    except OSError as error:
        raise _refuse_disk(error) from error


def write_spool(spool: BinaryIO, data: bytes) -> None:
    try:
        spool.write(data)
        spool.flush()
    except OSError as error:
        raise _refuse_disk(error) from error


def _refuse_disk(error: OSError) -> SiteError:
    return SiteError(
        f"The platform could not store the result: {error.strerror}.", code="spool_unwritable", whose="platform"
    )
