"""Servers that look like an imputation site from afar, and behave in one wrong way each: byte by byte on the wire."""

import asyncio
import contextlib
import json
import ssl
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field

SERVER = {"name": "A site", "apps": [], "loggedIn": False, "maintenace": False}
COUNTERS = {"complete": {"runs": 12}, "queue": {"size": 0}, "users": 3}
WES_INFO = {"workflow_type_versions": {"CWL": {"workflow_type_version": ["v1.2"]}}, "supported_wes_versions": ["1.0.0"]}
PAGE = b"<!DOCTYPE html><html><body><form>Please log in</form></body></html>"

Write = Callable[[bytes], Awaitable[None]]


def make_answer(
    body: bytes | object,
    status: str = "200 OK",
    kind: str = "application/json",
    length: int | None = None,
    more: str = "",
) -> bytes:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    told = len(content) if length is None else length
    return f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {told}\r\n{more}\r\n".encode() + content


@dataclass
class LyingSite:
    """`answers`: how a path (its end) is answered, by bytes at once or by a coroutine that writes; others are a 404."""

    answers: dict[str, bytes | Callable[[Write], Awaitable[None]]]
    port: int = 0
    hits: Counter[str] = field(default_factory=Counter)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async def write(data: bytes) -> None:
            writer.write(data)
            await writer.drain()

        with contextlib.suppress(OSError, asyncio.IncompleteReadError, ssl.SSLError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                path = head.split(b" ", 2)[1].decode()
                self.hits[path] += 1
                answer = next((self.answers[end] for end in self.answers if path.endswith(end)), None)
                if callable(answer):
                    await answer(write)
                    break
                await write(answer or make_answer({"detail": "Not Found"}, "404 Not Found"))
        writer.close()


@contextlib.contextmanager
def run_lying_site(site: LyingSite, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """Its address; served by a thread of its own."""
    loop, ready = asyncio.new_event_loop(), threading.Event()
    scheme = "https" if tls else "http"

    async def start() -> None:
        server = await asyncio.start_server(site.serve, "127.0.0.1", 0, ssl=tls)
        site.port = server.sockets[0].getsockname()[1]
        ready.set()

    def run() -> None:
        asyncio.set_event_loop(loop)
        loop.create_task(start())
        loop.run_forever()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    ready.wait(60)
    try:
        yield f"{scheme}://127.0.0.1:{site.port}"
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)


async def drip(write: Write) -> None:
    """A byte now and then, for ever: no single wait is long."""
    await write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n{")
    while True:
        await asyncio.sleep(0.1)
        await write(b" ")


async def drip_head(write: Write) -> None:
    await write(b"HTTP/1.1 200 OK\r\n")
    while True:
        await asyncio.sleep(0.1)
        await write(b"X-More: 1\r\n")


async def flood(write: Write) -> None:
    """An answer without an end."""
    await write(b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{"name": "')
    while True:
        await write(b"x" * 65536)


async def say_nothing(_write: Write) -> None:
    await asyncio.sleep(3600)


async def hang_up(write: Write) -> None:
    await write(b'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"name":')
