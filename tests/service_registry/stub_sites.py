"""Real servers that a registry under test speaks to: many Cloudgene sites under one address, and a subscriber."""

import asyncio
import contextlib
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any, Literal

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse

Mode = Literal["healthy", "maintenance", "html", "hanging", "meeting", "wes"]
WES_INFO = {
    "name": "A WES server",
    "version": "2.3.4",
    "supported_wes_versions": ["1.0.0", "1.1.0", "sapporo-2"],
    "workflow_type_versions": {"CWL": {"workflow_type_version": ["v1.2"]}},
}


@dataclass
class StubSites:
    """`modes`: site's name → how it behaves.

    `hanging` sites answer once `released` is set, `meeting` sites when `meeting_size` of them are asked at once.
    """

    modes: dict[str, Mode] = field(default_factory=dict)
    meeting_size: int = 0
    hits: Counter[str] = field(default_factory=Counter)
    open_now: Counter[str] = field(default_factory=Counter)
    peak: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    headers: list[dict[str, str]] = field(default_factory=list)
    released: bool = False

    @contextlib.contextmanager
    def counted(self, name: str, mode: Mode) -> Any:
        self.hits[name] += 1
        for key in (name, mode):
            self.open_now[key] += 1
            self.peak[key] = max(self.peak[key], self.open_now[key])
        try:
            yield
        finally:
            for key in (name, mode):
                self.open_now[key] -= 1

    def is_held(self, mode: Mode) -> bool:
        if self.released:
            return False
        return mode == "hanging" or (mode == "meeting" and self.peak["meeting"] < self.meeting_size)


def build_sites(stub: StubSites) -> FastAPI:
    app = FastAPI()

    @app.get("/{name}/api/v2/server")
    async def answer_server(name: str, request: Request) -> Response:
        mode = stub.modes.get(name, "healthy")
        stub.headers.append(dict(request.headers))
        with stub.counted(name, mode):
            while stub.is_held(mode) and not await request.is_disconnected():  # noqa: ASYNC110 (the test's thread has no event loop to set an event on)
                await asyncio.sleep(0.02)
        if mode == "html":
            return HTMLResponse("<html><body><h1>Welcome to nginx</h1></body></html>")
        body: dict[str, Any] = {"name": f"Site {name}", "apps": [], "loggedIn": False, "maintenace": False}
        if mode == "maintenance":
            body |= {"maintenace": True, "maintenaceMessage": "Back on <b>Monday</b>."}
        return JSONResponse(body)

    @app.get("/{name}/api/v2/server/counters")
    async def answer_counters(name: str) -> Response:
        if stub.modes.get(name) == "html":
            return HTMLResponse("<html><body><h1>Welcome to nginx</h1></body></html>")
        return JSONResponse({"complete": {"runs": 12}, "queue": {"size": 0}, "users": 3})

    @app.get("/{name}/service-info")
    async def answer_info(name: str) -> Response:
        return JSONResponse(WES_INFO if stub.modes.get(name) == "wes" else {"detail": "Not Found"})

    return app


def build_subscriber(events: list[dict[str, Any]]) -> FastAPI:
    app = FastAPI()

    @app.post("/internal/events", status_code=204)
    async def receive(request: Request) -> Response:
        assert request.headers["authorization"].startswith("Bearer ")
        events.append(await request.json())
        return Response(status_code=204)

    return app
