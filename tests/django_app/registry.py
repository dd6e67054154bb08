"""A registry to deliver to: real HTTP on a port of its own, which can be stopped and started again."""

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class StubRegistry:
    """Keeps what it accepted in `received`. `refusals`: subject → status that it gets instead.

    `healths`: site's id → its health; `probed` are the ids that it was told to probe. While `awake` is not set, it does
    not answer questions about health.
    """

    def __init__(self) -> None:
        self.received: list[dict[str, Any]] = []
        self.tokens: list[str] = []
        self.refusals: dict[str, int] = {}
        self.before_answer: Callable[[dict[str, Any]], None] = lambda _event: None
        self.healths: dict[str, dict[str, Any]] = {}
        self.probed: list[str] = []
        self.health_reads = 0
        self.awake = threading.Event()
        self.awake.set()
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
        self.healths, self.probed, self.health_reads = {}, [], 0
        self.awake.set()

    def tell_health(self, service_id: Any, status: str = "healthy", **changes: Any) -> None:
        self.healths[str(service_id)] = {
            "id": str(service_id),
            "health_status": status,
            "is_available": status == "healthy",
            "response_time_ms": 12.4,
            "error_message": None,
            "last_health_check": "2026-11-22T10:00:00Z",
            **changes,
        }

    def answer_health(self, path: str) -> tuple[int, Any]:
        self.awake.wait(timeout=30)
        parts = path.strip("/").split("/")
        if len(parts) == 2:
            self.health_reads += 1
            return 200, list(self.healths.values())
        self.probed.append(parts[2])
        known = self.healths.get(parts[2])
        return (200, known) if known else (404, {"detail": "There is no imputation service with this id."})

    def accept(self, event: dict[str, Any], token: str) -> int:
        self.before_answer(event)
        with self._arrival:
            self.tokens.append(token)
            status = self.refusals.get(event["subject"], 204)
            if status == 204:
                self.received.append(event)
            self._arrival.notify_all()
            return status

    def wait_for(self, condition: Callable[[list[dict[str, Any]]], bool], seconds: float = 60) -> None:
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
            if self.path == "/internal/sites":
                self._answer_health()
            else:
                self._answer(200)

        def do_POST(self) -> None:
            if self.path.startswith("/internal/sites/"):
                self._answer_health()
                return
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self._answer(registry.accept(body, self.headers["Authorization"]))

        def _answer_health(self) -> None:
            assert self.headers["Authorization"].count(".") == 2
            status, document = registry.answer_health(self.path)
            self._answer(status, json.dumps(document).encode())

        def _answer(self, status: int, body: bytes | None = None) -> None:
            if body is None:
                body = b"" if status == 204 else b"refused: no such field"
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: Any) -> None:
            pass

    return Handler
