"""One request on its way through: the client's side of it, and what the access log will say about it."""

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

from starlette.types import Message, Receive, Scope, Send

from microservices.api_gateway.logic.headers import Header
from microservices.kernel.auth import Principal
from microservices.kernel.errors import TooLargeError
from microservices.kernel.requests import accept_request_id

# Most answers are there sooner, and then no task is made that waits for the client to leave.
_WATCH_AFTER_S = 0.1
CLIENT_GONE = 499


class ClientGoneError(Exception):
    """The client has closed its connection; nobody is there to be answered."""


class Passage:
    """`send` and `receive` of one request, with its identity, its counts and its end."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scope = scope
        self.receive = receive
        self._send = send
        self.method: str = scope["method"]
        self.raw_path: bytes = scope["raw_path"]
        self.headers: dict[bytes, bytes] = dict(scope["headers"])
        self.request_id = accept_request_id(self.headers.get(b"x-request-id", b"").decode("latin-1"))
        self.added_headers: list[Header] = [(b"x-request-id", self.request_id.encode())]
        self.principal: Principal | None = None
        self.upstream: str | None = None
        self.time = time.perf_counter()
        self.bytes_in = self.bytes_out = 0
        self.status = 0
        self.started = self.finished = self.gone = self.body_read = False
        self.body_error: Exception | None = None
        self._limit: int | None = None
        self._owner: asyncio.Task[Any] | None = asyncio.current_task()
        self._timer: asyncio.TimerHandle | None = None
        self._watch: asyncio.Task[None] | None = None

    @property
    def address(self) -> str:
        client = self.scope.get("client")
        return client[0] if client else "unknown"

    # The request

    async def open_body(self, limit: int | None) -> bytes | AsyncIterator[bytes] | None:
        """The body: None, bytes when all of it has come at once, else chunks as they come, `limit` bytes at most."""
        self._limit = limit
        length = self.headers.get(b"content-length", b"0")
        if length == b"0" and b"transfer-encoding" not in self.headers:
            self.body_read = True
            return None
        if limit is not None and length.isdigit() and int(length) > limit:
            raise _too_large(limit)
        first = await self._read_chunk()
        return first if self.body_read else self._read_on(first)

    async def _read_on(self, first: bytes) -> AsyncIterator[bytes]:
        """What goes wrong here is raised inside the client library; it is kept to be told apart there."""
        try:
            yield first
            while not self.body_read:
                yield await self._read_chunk()
        except (ClientGoneError, TooLargeError) as error:
            self.body_error = error
            raise

    async def _read_chunk(self) -> bytes:
        message = await self.receive()
        if message["type"] == "http.disconnect":
            self.gone = True
            raise ClientGoneError
        chunk: bytes = message.get("body", b"")
        self.bytes_in += len(chunk)
        self.body_read = not message.get("more_body", False)
        if self._limit is not None and self.bytes_in > self._limit:
            raise _too_large(self._limit)
        return chunk

    # The answer

    async def start(self, status: int, headers: list[Header]) -> None:
        self.status = status
        self.started = True
        await self._send({"type": "http.response.start", "status": status, "headers": headers + self.added_headers})

    async def write(self, chunk: bytes) -> None:
        """Waits while the client does not take what it was sent before."""
        self.bytes_out += len(chunk)
        await self._send({"type": "http.response.body", "body": chunk, "more_body": True})

    async def finish(self, chunk: bytes = b"") -> None:
        self.bytes_out += len(chunk)
        self.finished = True
        await self._send({"type": "http.response.body", "body": chunk})

    async def send(self, message: Message) -> None:
        """For an ASGI application of our own that answers this request."""
        if message["type"] == "http.response.start":
            ours = {name for name, _ in self.added_headers}
            theirs = [(name, value) for name, value in message["headers"] if name not in ours]
            await self.start(message["status"], theirs)
        elif message.get("more_body", False):
            await self.write(message.get("body", b""))
        else:
            await self.finish(message.get("body", b""))

    # The client

    def watch_client(self) -> None:
        """From now on, a client that goes away ends the passage: its task is cancelled, and `gone` says why."""
        self._timer = asyncio.get_running_loop().call_later(_WATCH_AFTER_S, self._start_watch)

    def _start_watch(self) -> None:
        if self.body_read:
            self._watch = asyncio.create_task(self._wait_for_disconnect())
        else:
            self.watch_client()

    async def _wait_for_disconnect(self) -> None:
        while (await self.receive())["type"] != "http.disconnect":
            pass
        if self._owner is not None and not self.finished:
            self.gone = True
            self._owner.cancel()

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._watch is not None:
            self._watch.cancel()

    # The access log and the metrics

    @property
    def final_status(self) -> int:
        return CLIENT_GONE if self.gone and not self.started else self.status

    @property
    def duration_s(self) -> float:
        return time.perf_counter() - self.time

    def to_row(self) -> tuple[Any, ...]:
        """In the order of `queries.ACCESS_COLUMNS`."""
        outcome = "client_gone" if self.gone else "completed" if self.finished else "cut"
        principal = self.principal
        return (
            datetime.now(UTC).isoformat(),
            self.request_id,
            self.method,
            self.raw_path[:500].decode("latin-1").replace("\0", ""),
            self.upstream or "",
            self.final_status,
            outcome,
            round(self.duration_s * 1000, 3),
            self.bytes_in,
            self.bytes_out,
            principal.subject if principal else "",
            principal.organization_id if principal and principal.organization_id else "",
            self.address,
        )


def _too_large(limit: int) -> TooLargeError:
    return TooLargeError(f"The body may have {limit} bytes at most.")
