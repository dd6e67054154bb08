"""Passing a request on to a service and its answer back, in constant memory and with back-pressure both ways."""

from collections.abc import AsyncIterator

import aiohttp
from yarl import URL

from microservices.api_gateway.errors import UpstreamBrokenError, UpstreamTimeoutError
from microservices.api_gateway.logic.headers import answer_headers, forward_headers
from microservices.api_gateway.logic.passage import ClientGoneError, Passage
from microservices.api_gateway.logic.upstreams import Upstream
from microservices.kernel.errors import DependencyUnavailableError, ServiceError
from microservices.kernel.logs import get_logger

_WHOLE_UP_TO = 64 * 1024
_CONNECTIONS_PER_SERVICE = 256
# Below the 5 s after which our services' servers close an idle connection, so that no request meets a closing one.
_KEEP_IDLE_S = 4
NO_AUTOMATIC_HEADERS = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")

log = get_logger(__name__)


class Forwarder:
    """The gateway's connections to the services. Made inside a running event loop, closed with `close`."""

    def __init__(self, *, connect_timeout_s: float, idle_timeout_s: float, body_limit: int) -> None:
        self._body_limit = body_limit
        self.session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=0, limit_per_host=_CONNECTIONS_PER_SERVICE, keepalive_timeout=_KEEP_IDLE_S
            ),
            timeout=aiohttp.ClientTimeout(
                connect=connect_timeout_s * 5, sock_connect=connect_timeout_s, sock_read=idle_timeout_s
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=NO_AUTOMATIC_HEADERS,
            auto_decompress=False,
            trust_env=False,
        )

    async def close(self) -> None:
        await self.session.close()

    async def forward(self, passage: Passage, upstream: Upstream) -> None:
        """Answer `passage` with what `upstream` says.

        Raises a `ServiceError` when nothing has been sent yet; an answer that breaks off later is left unfinished, so
        that the client's connection is closed before the end and no short body passes for a whole one.
        """
        passage.upstream = upstream.name
        body = await passage.open_body(self._body_limit if upstream.limits_body else None)
        passage.watch_client()
        try:
            await self._exchange(passage, upstream, body)
        except (aiohttp.ClientError, TimeoutError) as error:
            if isinstance(passage.body_error, ClientGoneError):
                return
            if not passage.started:
                raise passage.body_error or _explain(upstream, error) from error
            log.warning("answer_cut", upstream=upstream.name, request_id=passage.request_id, error=repr(error)[:300])

    async def _exchange(self, passage: Passage, upstream: Upstream, body: bytes | AsyncIterator[bytes] | None) -> None:
        scope = passage.scope
        answer = await self.session.request(
            passage.method,
            make_url(upstream, passage.raw_path, scope["query_string"]),
            headers=forward_headers(
                scope["headers"], address=passage.address, scheme=scope["scheme"], request_id=passage.request_id
            ),
            data=body,
            allow_redirects=False,
        )
        try:
            await _relay(answer, passage)
        finally:
            answer.close()  # of an answer that was read to its end, the connection is back in the pool already


def make_url(upstream: Upstream, raw_path: bytes, query: bytes) -> URL:
    """As the client wrote it: not decoded, not encoded again."""
    question = b"?" + query if query else b""
    return URL(upstream.base_url + (raw_path + question).decode("latin-1"), encoded=True)


async def _relay(answer: aiohttp.ClientResponse, passage: Passage) -> None:
    bodiless = answer.status in (204, 304)
    headers = answer_headers(answer.raw_headers, bodiless=bodiless)
    length = answer.content_length
    if bodiless or passage.method == "HEAD" or (length is not None and length <= _WHOLE_UP_TO):
        content = await answer.read()
        await passage.start(answer.status, headers)
        await passage.finish(content)
        return
    await passage.start(answer.status, headers)
    async for chunk in answer.content.iter_any():
        await passage.write(chunk)
    await passage.finish()


def _explain(upstream: Upstream, error: Exception) -> ServiceError:
    if isinstance(error, aiohttp.SocketTimeoutError) and not isinstance(error, aiohttp.ConnectionTimeoutError):
        return UpstreamTimeoutError(
            f"{upstream.name} has not answered in time, and may have done what was asked. Look before you retry."
        )
    if isinstance(error, aiohttp.ClientResponseError | aiohttp.ClientPayloadError):
        return UpstreamBrokenError(f"{upstream.name} gave an answer that cannot be read. Try again.")
    return DependencyUnavailableError(f"{upstream.name} does not answer. Try again in a few seconds.")
