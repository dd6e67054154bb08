"""A service that can be killed and comes back at the same address, and a notification service that writes down."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from fastapi import FastAPI, Request, Response

from imputehub.local.children import find_free_port


class MortalService:
    """`started`: when its process began, by its own word; each start is another process."""

    def __init__(self) -> None:
        self.port = find_free_port()
        self.started = 1_790_000_000.0
        self.ready = True
        self._server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, body = service.answer(self.path)
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def answer(self, path: str) -> tuple[int, bytes]:
        if path == "/metrics":
            return 200, f"process_start_time_seconds {self.started}\n".encode()
        status = 200 if self.ready or path == "/health" else 503
        database = "ok" if self.ready else "down"
        return status, json.dumps({"version": "1", "dependencies": {"database": {"status": database}}}).encode()

    def die(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def replace(self) -> None:
        """By another process, so fast that nobody sees the gap."""
        self.started = time.time()


class Notification:
    """Keeps the events and the figures that it is sent."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.figures: list[dict[str, Any]] = []
        self.callers: set[str] = set()
        self.app = FastAPI()
        self.app.post("/internal/events")(self.take_event)
        self.app.put("/internal/figures/{type}")(self.take_figures)

    async def take_event(self, request: Request) -> Response:
        self.events.append(await request.json())
        return Response(status_code=204)

    async def take_figures(self, type: str, request: Request) -> Response:
        self.callers.add(request.headers["authorization"])
        self.figures.append({"type": type, **await request.json()})
        return Response(status_code=204)

    def list_changes(self, service: str) -> list[dict[str, Any]]:
        return [event["data"] for event in self.events if event["subject"] == f"platform/{service}"]
