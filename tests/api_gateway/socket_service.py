"""A service with a WebSocket behind the gateway: it does what the messages ask for, and tells how it was opened."""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

from starlette.types import Receive, Scope, Send


@dataclass
class SocketService:
    opened: list[dict[str, Any]] = field(default_factory=list)
    closed: list[tuple[int, str]] = field(default_factory=list)
    sent: int = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket":
            return
        await receive()
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        self.opened.append({"path": scope["path"], "query": scope["query_string"].decode(), "headers": headers})
        if headers.get("origin") == "https://evil.example.org":
            await send({"type": "websocket.close"})
            return
        await send({"type": "websocket.accept"})
        await self._converse(receive, send)

    async def _converse(self, receive: Receive, send: Send) -> None:
        while (message := await receive())["type"] == "websocket.receive":
            if message.get("bytes") is not None:
                await send({"type": "websocket.send", "bytes": message["bytes"]})
                continue
            wish = json.loads(message["text"])
            if "close" in wish:
                await send({"type": "websocket.close", "code": wish["close"], "reason": wish["reason"]})
            elif "flood" in wish:
                await self._flood(send, wish["flood"])
            elif "cut" in wish:
                raise asyncio.CancelledError
            else:
                await send({"type": "websocket.send", "text": message["text"]})
        self.closed.append((message["code"], message.get("reason") or ""))

    async def _flood(self, send: Send, megabytes: int) -> None:
        self.sent = 0
        for _ in range(megabytes):
            await send({"type": "websocket.send", "text": "x" * 1024**2})
            self.sent += 1
