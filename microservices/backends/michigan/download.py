"""Fetch one result file, once.

Every GET uses up one of the site's few downloads of a file, also one that breaks half-way: nothing is retried here. The
link is the right: no token goes along, neither to the site nor to the storage that it may redirect to.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import BinaryIO

import aiohttp
from yarl import URL

from microservices.backends.base import ResultRefusedError, SiteError, SiteFile, SiteUnavailableError
from microservices.backends.failures import translate_failures
from microservices.backends.michigan.answers import Answer, explain_answer
from microservices.backends.michigan.client import CloudgeneClient, read_bounded
from microservices.backends.session import build_stream_timeout

REDIRECTS = frozenset({301, 302, 303, 307, 308})
MAX_REDIRECTS = 2
WRITE_BYTES = 1024**2


class _DroppedError(aiohttp.ClientError):
    """A connection that broke before an answer; unlike the library's own error it is not answered by a second GET."""


async def fetch_file(client: CloudgeneClient, file: SiteFile, destination: Path) -> None:
    """Stream the file to `destination`; nothing stays there when it fails.

    Raises `ResultRefusedError` (permanent when the site's downloads are used up or the file is gone), or
    `SiteUnavailableError`.
    """
    try:
        with translate_failures():
            async with _open_download(client, file) as response:
                _refuse_page(response, file)
                size = await _write_body(response, file, destination)
        _check_size(file, size, size)
    except BaseException:
        await asyncio.shield(asyncio.to_thread(destination.unlink, missing_ok=True))
        raise


@asynccontextmanager
async def _open_download(client: CloudgeneClient, file: SiteFile) -> AsyncIterator[aiohttp.ClientResponse]:
    """The answer that carries the bytes, at the end of at most two redirects."""
    url = client.address(file.locator)
    for _ in range(MAX_REDIRECTS + 1):
        async with client.session.get(
            url,
            headers={"Accept-Encoding": "identity"},
            timeout=build_stream_timeout(client.connection, client.deadlines.download_idle_s),
            allow_redirects=False,
            middlewares=(_send_once,),
        ) as response:
            if response.status == 200:
                yield response
                return
            if response.status not in REDIRECTS:
                raise explain_refused_file(client.understand(response, await read_bounded(response)), file)
            url = _follow(client, url, response.headers.get("Location", ""))
    raise SiteError("The site's link to a result redirects without end.", code="redirected")


async def _send_once(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """The library sends a GET again whose connection dropped; here the first may already have been counted."""
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError):
        raise _DroppedError from None


def _follow(client: CloudgeneClient, url: URL, location: str) -> URL:
    """The redirect's target, its signature untouched; the session judges its address when it connects."""
    try:
        target = url.join(URL(location, encoded=True))
    except ValueError:
        target = URL()
    secure = target.scheme == "https" or (
        target.scheme == "http" and client.connection.api_config.allow_private_network
    )
    if not location or not secure or not target.host or target == url:
        raise SiteError(
            "The site redirects a download to an address that is not a usable https address.", code="redirect_unsafe"
        )
    return target


def explain_refused_file(answer: Answer, file: SiteFile) -> SiteError:
    """Why a file was not given: too early, used up, or gone for good."""
    words = answer.words.lower()
    if answer.status == 404 and "download not found" in words:
        return ResultRefusedError(
            f"The site's link to {file.filename} does not work (yet): {answer.words}", code="result_not_ready"
        )
    if answer.status == 404 and answer.document is not None:
        return _refuse(file, f"is no longer at the site: {answer.words}", "results_gone", "Submit the run again.")
    if answer.status == 400 and "max downloads" in words:
        return _refuse(
            file,
            "has been downloaded as often as the site allows",
            "downloads_exhausted",
            "Ask the site to raise the limit, or submit the run again.",
        )
    if answer.status in (403, 404, 410):
        return ResultRefusedError(f"The storage refused {file.filename} ({answer.status}).", code="link_refused")
    return explain_answer(answer)


def _refuse(file: SiteFile, why: str, code: str, fix: str) -> ResultRefusedError:
    return ResultRefusedError(f"The file {file.filename} {why}.", code=code, permanent=True, fix=fix)


def _refuse_page(response: aiohttp.ClientResponse, file: SiteFile) -> None:
    """A proxy's maintenance page may come with 200; types are no proof here, but no other result is HTML."""
    if response.content_type == "text/html" and not file.filename.endswith(".html"):
        raise SiteUnavailableError(f"The site answered with a page instead of {file.filename}.", code="answer_not_json")


async def _write_body(response: aiohttp.ClientResponse, file: SiteFile, destination: Path) -> int:
    """The bytes written; the end of the chunked stream (or the length) is checked by the HTTP library."""
    size = 0
    with _open_spool(destination) as spool:
        pending = bytearray()
        async for chunk in response.content.iter_any():
            size += len(chunk)
            _check_size(file, size, None)
            pending += chunk
            if len(pending) >= WRITE_BYTES:
                await asyncio.to_thread(_write_spool, spool, bytes(pending))
                pending.clear()
        await asyncio.to_thread(_write_spool, spool, bytes(pending))
    return size


def _check_size(file: SiteFile, size: int, end: int | None) -> None:
    """Too much is refused as soon as it comes; too little at the end."""
    if file.size_range is None:
        return
    least, most = file.size_range
    if size > most or (end is not None and end < least):
        raise ResultRefusedError(
            f"The file {file.filename} is not as large as the site says ({least}–{most} bytes): {size} bytes came.",
            code="size_mismatch",
        )


def _open_spool(destination: Path) -> BinaryIO:
    try:
        return destination.open("wb")
    except OSError as error:
        raise _refuse_disk(error) from error


def _write_spool(spool: BinaryIO, data: bytes) -> None:
    try:
        spool.write(data)
        spool.flush()
    except OSError as error:
        raise _refuse_disk(error) from error


def _refuse_disk(error: OSError) -> SiteError:
    return SiteError(
        f"The platform could not store the result: {error.strerror}.", code="spool_unwritable", whose="platform"
    )
