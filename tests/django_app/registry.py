"""A registry to deliver to: real HTTP on a port of its own, which can be stopped and started again."""

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class StubRegistry:
    """Keeps what it accepted in `received`. `refusals`: subject → status that it gets instead."""

    def __init__(self) -> None:
        self.received: list[dict[str, Any]] = []
        self.tokens: list[str] = []
        self.refusals: dict[str, int] = {}
        self.before_answer: Callable[[dict[str, Any]], None] = lambda _event: None
        self._arrival = threading.Condition()
        self._port = 0
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", self._port), _make_handler(self))
        self._port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def forget(self) -> None:
        self.received, self.tokens, self.refusals = [], [], {}
        self.before_answer = lambda _event: None

    def accept(self, event: dict[str, Any], token: str) -> int:
        self.before_answer(event)
        with self._arrival:
            self.tokens.append(token)
            status = self.refusals.get(event["subject"], 204)
            if status == 204:
                self.received.append(event)
            self._arrival.notify_all()
            return status

    def wait_for(self, condition: Callable[[list[dict[str, Any]]], bool], seconds: float = 15) -> None:
        with self._arrival:
            assert self._arrival.wait_for(lambda: condition(self.received), seconds), self.received

    def about(self, subject: str) -> list[dict[str, Any]]:
        return [event for event in self.received if event["subject"] == subject]

    @property
    def versions(self) -> list[int]:
        return [event["dataversion"] for event in self.received]


def _make_handler(registry: StubRegistry) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer(200)

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self._answer(registry.accept(body, self.headers["Authorization"]))

        def _answer(self, status: int) -> None:
            body = b"" if status == 204 else b"refused: no such field"
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: Any) -> None:
            pass

    return Handler
