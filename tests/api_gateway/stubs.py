"""Services behind the gateway: a well-behaved one that tells what it was sent, and raw ones that misbehave."""

import asyncio
import hashlib
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from starlette.types import Receive, Scope, Send

CHUNK = b"\x9d" * 65_536


@dataclass
class EchoService:
    """Answers what it received, as JSON; a few paths do special things. Counts what it has sent and seen."""

    seen: list[dict[str, Any]] = field(default_factory=list)
    sent_bytes: int = 0
    received_bytes: int = 0
    waiting: threading.Event = field(default_factory=threading.Event)
    left: threading.Event = field(default_factory=threading.Event)
    may_read: threading.Event = field(default_factory=threading.Event)

    def forget(self) -> None:
        self.seen, self.sent_bytes, self.received_bytes = [], 0, 0
        self.waiting, self.left, self.may_read = threading.Event(), threading.Event(), threading.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        special: dict[str, Callable[[Scope, Receive, Send], Any]] = {
            "/api/v1/files/big/content": self._send_much,
            "/api/v1/files/endless/content": self._wait,
            "/api/v1/jobs/slow": self._wait,
            "/api/v1/files/stuck": self._read_late,
            "/api/v1/jobs/cookies": self._set_cookies,
            "/api/v1/jobs/packed": self._send_packed,
            "/api/v1/jobs/nothing": self._send_nothing,
        }
        await special.get(scope["path"], self._echo)(scope, receive, send)

    async def _echo(self, scope: Scope, receive: Receive, send: Send) -> None:
        read = await self._read(receive)
        if read is None:
            return
        digest, size = read
        told = {
            "method": scope["method"],
            "path": scope["raw_path"].decode(),
            "query": scope["query_string"].decode(),
            "headers": [[name.decode(), value.decode("latin-1")] for name, value in scope["headers"]],
            "sha256": digest,
            "size": size,
        }
        self.seen.append(told)
        content = json.dumps(told).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    async def _read(self, receive: Receive) -> tuple[str, int] | None:
        """None when the body was broken off."""
        digest, more, size = hashlib.sha256(), True, 0
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                self.left.set()
                return None
            digest.update(message.get("body", b""))
            size += len(message.get("body", b""))
            self.received_bytes += len(message.get("body", b""))
            self.waiting.set()
            more = message.get("more_body", False)
        return digest.hexdigest(), size

    async def _send_much(self, scope: Scope, _receive: Receive, send: Send) -> None:
        size = int(parse_qs(scope["query_string"].decode())["size"][0])
        headers = [(b"content-length", str(size).encode()), (b"content-disposition", b'attachment; filename="a"')]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for _ in range(size // len(CHUNK)):
            await send({"type": "http.response.body", "body": CHUNK, "more_body": True})
            self.sent_bytes += len(CHUNK)
        await send({"type": "http.response.body", "body": b""})

    async def _wait(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Never answers (`/slow`), or never ends its answer, until the caller has gone."""
        await receive()
        if "endless" in scope["path"]:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"first", "more_body": True})
        self.waiting.set()
        while (await receive())["type"] != "http.disconnect":
            pass
        self.left.set()

    async def _read_late(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.waiting.set()
        await asyncio.to_thread(self.may_read.wait, 30)
        await self._echo(scope, receive, send)

    async def _set_cookies(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        headers = [
            (b"location", b"/admin/login/?next=/admin/"),
            (b"set-cookie", b"a=1; Path=/; HttpOnly"),
            (b"set-cookie", b"b=2; Path=/"),
            (b"connection", b"x-private"),
            (b"x-private", b"between us"),
            (b"keep-alive", b"timeout=5"),
        ]
        await send({"type": "http.response.start", "status": 302, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    async def _send_packed(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        headers = [(b"content-encoding", b"gzip"), (b"content-length", b"12")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"not unpacked"})

    async def _send_nothing(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 304, "headers": [(b"content-length", b"999")]})
        await send({"type": "http.response.body", "body": b""})


@contextmanager
def serve_raw(handle: Callable[[socket.socket, int], None]) -> Iterator[str]:
    """A TCP server: `handle(connection, number)` is called for each connection, in a thread of its own."""
    listener = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        number = 0
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=handle, args=(connection, number), daemon=True).start()
            number += 1

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def read_head(connection: socket.socket) -> bytes:
    """One request's (or answer's) head; b"" when the other side has closed."""
    head = b""
    while b"\r\n\r\n" not in head:
        more = connection.recv(1)
        if not more:
            return b""
        head += more
    return head
