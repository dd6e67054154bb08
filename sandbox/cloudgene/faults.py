"""Faults on purpose, between the site and its web server: what clients must bear from sites and their proxies."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.cloudgene.control import Control, Fault, Operation

SLOW_BYTES, SLOW_PAUSE_S = 16 * 1024, 0.25
PAGE = b"<html><head><title>502</title></head><body><h1>We are down for maintenance</h1></body></html>"
Act = Callable[[ASGIApp, Scope, Receive, Send], Awaitable[None]]


class FaultGate:
    """The outermost application: only from here can a connection be cut."""

    def __init__(self, app: ASGIApp, control: Control) -> None:
        self._app = app
        self._control = control

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_request = scope["type"] == "http" and not scope["path"].startswith("/sandbox/")
        fault = self._control.take_fault(name_operation(scope["method"], scope["path"])) if is_request else None
        await _ACTS.get(fault, _serve)(self._app, scope, receive, send)


def name_operation(method: str, path: str) -> Operation:
    parts = path.strip("/").split("/")
    if parts[0] in ("share", "downloads", "browse"):
        return "download"
    match parts[2:] if parts[:2] == ["api", "v2"] else None:
        case ["jobs", "submit", *_] if method == "POST":
            return "submit"
        case ["jobs"]:
            return "list"
        case ["jobs", _, "cancel"]:
            return "cancel"
        case ["jobs", _, "restart"]:
            return "restart"
        case ["jobs", *_]:
            return "job"
        case ["server", *_]:
            return "server"
        case ["tokens", *_]:
            return "token"
    return "other"


async def _serve(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    await app(scope, receive, send)


def _cut(send: Send) -> None:
    """The web server's own `send` belongs to the exchange, which knows its connection (uvicorn)."""
    send.__self__.transport.abort()  # type: ignore[attr-defined]


async def _drop(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    _cut(send)


async def _drop_after_accept(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    async def swallow(message: Message) -> None:
        return

    await app(scope, receive, swallow)
    _cut(send)


async def _hang(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    while (await receive())["type"] != "http.disconnect":
        continue


def _answer(status: int, content_type: str, body: bytes, retry_after: int | None = None) -> Act:
    async def act(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-type", content_type.encode()), (b"content-length", str(len(body)).encode())]
        headers += [(b"retry-after", str(retry_after).encode())] if retry_after else []
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return act


def _rewrite(change: Callable[[bytes], bytes]) -> Act:
    """The site's own answer, with another body."""

    async def act(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        start: Message = {}
        body = bytearray()

        async def collect(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
            else:
                body.extend(message.get("body", b""))

        await app(scope, receive, collect)
        changed = change(bytes(body))
        kept = [(name, value) for name, value in start["headers"] if name.lower() != b"content-length"]
        await send({**start, "headers": [*kept, (b"content-length", str(len(changed)).encode())]})
        await send({"type": "http.response.body", "body": changed})

    return act


def _shrink_sizes(body: bytes) -> bytes:
    document: Any = json.loads(body)
    for output in document.get("outputParams") or []:
        for file in output["files"]:
            file["size"] = "7 bytes"
    return json.dumps(document).encode()


def _flip_bit(body: bytes) -> bytes:
    spoilt = bytearray(body)
    if spoilt:
        spoilt[len(spoilt) // 2] ^= 1
    return bytes(spoilt)


async def _break_off(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    async def pass_half(message: Message) -> None:
        body = message.get("body", b"")
        await send({**message, "body": body[: len(body) // 2], "more_body": True} if body else message)
        if body:
            _cut(send)

    await app(scope, receive, pass_half)


async def _slow_down(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    async def trickle(message: Message) -> None:
        body = message.get("body", b"")
        for start in range(0, len(body), SLOW_BYTES):
            await asyncio.sleep(SLOW_PAUSE_S)
            await send({**message, "body": body[start : start + SLOW_BYTES], "more_body": True})
        if message["type"] == "http.response.start" or not message.get("more_body"):
            await send({**message, "body": b""} if body else message)

    await app(scope, receive, trickle)


_ERROR = json.dumps({"_links": {}, "_embedded": {"errors": []}, "message": "Internal Server Error", "path": None})
_ACTS: dict[Fault | None, Act] = {
    "drop": _drop,
    "drop_after_accept": _drop_after_accept,
    "hang": _hang,
    "error_500": _answer(500, "application/json", _ERROR.encode()),
    "unavailable": _answer(503, "text/html", PAGE, retry_after=5),
    "busy": _answer(429, "text/html", PAGE, retry_after=5),
    "html": _answer(200, "text/html", PAGE),
    "half_json": _rewrite(lambda body: body[: len(body) // 2]),
    "wrong_size": _rewrite(_shrink_sizes),
    "slow": _slow_down,
    "broken_download": _break_off,
    "truncated_archive": _rewrite(lambda body: body[: len(body) // 2]),
    "spoilt_archive": _rewrite(_flip_bit),
}
