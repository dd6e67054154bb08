"""WebSockets that pass through: one connection to the client, one to the service, and each waits for the other.

What is said on them is neither read nor logged, since the first message is a token. Close codes and reasons are kept.
"""

import asyncio
from contextlib import suppress

import aiohttp
from starlette.types import Message, Send

from microservices.api_gateway.errors import TooManySocketsError, UpstreamBrokenError
from microservices.api_gateway.logic.forwarding import NO_AUTOMATIC_HEADERS, make_url
from microservices.api_gateway.logic.headers import forward_headers
from microservices.api_gateway.logic.passage import Passage
from microservices.api_gateway.logic.upstreams import Upstream
from microservices.kernel.errors import DependencyUnavailableError, HttpError, ServiceError
from microservices.kernel.races import run_until_one_ends

_FROM_CLIENT_BYTES = 64 * 1024
_FROM_SERVICE_BYTES = 4 * 1024**2
_HANDSHAKE_S = 10
_SEND_S = 30
_CLOSE_S = 5
# RFC 6455, section 7.4.1: these describe what was seen, and cannot be sent.
_NOT_SENT = frozenset({0, 1004, 1005, 1006, 1015})
_GOING_AWAY, _TOO_BIG, _TRY_AGAIN = 1001, 1009, 1013
_SCHEMES = {"ws": "http", "wss": "https"}


class SocketRelay:
    """The gateway's WebSockets, `most` at once. Made inside a running event loop, closed with `close`."""

    def __init__(self, *, connect_timeout_s: float, most: int) -> None:
        self._most = most
        self._open = 0
        # Apart from the forwarder's connections, since these are held for hours.
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            timeout=aiohttp.ClientTimeout(sock_connect=connect_timeout_s, sock_read=_HANDSHAKE_S),
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=NO_AUTOMATIC_HEADERS,
            trust_env=False,
        )

    async def close(self) -> None:
        await self._session.close()

    async def relay(self, passage: Passage, upstream: Upstream, send: Send) -> None:
        """Until one side ends it. Raises a `ServiceError` when the service does not take the connection."""
        passage.upstream = upstream.name
        if self._open >= self._most:
            raise TooManySocketsError("The platform holds as many live connections as it can. Try again in a minute.")
        self._open += 1
        try:
            await passage.receive()  # `websocket.connect`
            await _Conversation(passage, await self._connect(passage, upstream), send).run()
        finally:
            self._open -= 1

    async def _connect(self, passage: Passage, upstream: Upstream) -> aiohttp.ClientWebSocketResponse:
        scope = passage.scope
        headers = forward_headers(
            [pair for pair in scope["headers"] if not pair[0].startswith(b"sec-websocket-")],
            address=passage.address,
            scheme=_SCHEMES.get(scope["scheme"], "http"),
            request_id=passage.request_id,
        )
        try:
            return await self._session.ws_connect(
                make_url(upstream, passage.raw_path, b""),
                headers=headers,
                max_msg_size=_FROM_SERVICE_BYTES,
                timeout=aiohttp.ClientWSTimeout(ws_close=_CLOSE_S),
            )
        except aiohttp.WSServerHandshakeError as error:
            raise _explain_refusal(upstream, error) from error
        except (aiohttp.ClientError, TimeoutError) as error:
            raise DependencyUnavailableError(f"{upstream.name} does not answer. Try again in a few seconds.") from error


def _explain_refusal(upstream: Upstream, error: aiohttp.WSServerHandshakeError) -> ServiceError:
    if 400 <= error.status < 500:
        return HttpError(error.status, "This page may not connect here" if error.status == 403 else "Refused")
    return UpstreamBrokenError(f"{upstream.name} gave an answer that cannot be read. Try again.")


class _Conversation:
    """Both directions. `ending`: the close code and reason that whoever is still there gets."""

    def __init__(self, passage: Passage, service: aiohttp.ClientWebSocketResponse, send: Send) -> None:
        self._passage = passage
        self._service = service
        self._send = send
        self._client_left = False
        self._ending = (_TRY_AGAIN, "The connection was interrupted. Connect again.")

    async def run(self) -> None:
        try:
            await self._send({"type": "websocket.accept"})
            self._passage.started, self._passage.status = True, 101
            await run_until_one_ends(self._take_from_client(), self._take_from_service())
        except (OSError, TimeoutError, aiohttp.ClientError):
            pass  # one side is gone or takes nothing any more: the other is told by what `ending` says
        finally:
            await self._end()

    async def _take_from_client(self) -> None:
        while (message := await self._passage.receive())["type"] == "websocket.receive":
            size = len(message.get("bytes") or message.get("text") or "")
            self._passage.bytes_in += size
            if size > _FROM_CLIENT_BYTES:
                self._ending = (_TOO_BIG, f"A message may have {_FROM_CLIENT_BYTES} bytes.")
                return
            await self._pass_on(message)
        self._client_left = True
        self._passage.gone = message["code"] in _NOT_SENT
        self._ending = _sendable(message["code"], message.get("reason") or "")

    async def _pass_on(self, message: Message) -> None:
        if (text := message.get("text")) is not None:
            await self._service.send_str(text)
        else:
            await self._service.send_bytes(message["bytes"])

    async def _take_from_service(self) -> None:
        while True:
            message = await self._service.receive()
            if message.type is aiohttp.WSMsgType.TEXT:
                await self._give("text", message.data)
            elif message.type is aiohttp.WSMsgType.BINARY:
                await self._give("bytes", message.data)
            else:
                if message.type is aiohttp.WSMsgType.CLOSE:
                    self._ending = _sendable(message.data, message.extra or "")
                return

    async def _give(self, kind: str, content: str | bytes) -> None:
        self._passage.bytes_out += len(content)
        async with asyncio.timeout(_SEND_S):
            await self._send({"type": "websocket.send", kind: content})

    async def _end(self) -> None:
        code, reason = self._ending
        with suppress(OSError, TimeoutError, aiohttp.ClientError):
            if self._passage.started and not self._client_left:
                async with asyncio.timeout(_CLOSE_S):
                    await self._send({"type": "websocket.close", "code": code, "reason": reason})
        self._passage.finished = code != _TRY_AGAIN
        with suppress(OSError, TimeoutError, aiohttp.ClientError):
            await self._service.close(code=code, message=reason.encode())


def _sendable(code: int | None, reason: str) -> tuple[int, str]:
    return (_GOING_AWAY, "") if code is None or code in _NOT_SENT else (code, reason)
