"""A service that is watched, and the registry's public list, as a test wants them to be."""

import json
from dataclasses import dataclass, field
from typing import Any

from starlette.types import Receive, Scope, Send

METRICS = """\
# TYPE process_resident_memory_bytes gauge
process_resident_memory_bytes 5.0e+07
# TYPE process_start_time_seconds gauge
process_start_time_seconds {started}
# TYPE http_requests_total counter
http_requests_total{{method="GET",route="/health/ready",status="503"}} 999
http_requests_total{{method="GET",route="/api/v1/files",status="200"}} {good}
http_requests_total{{method="POST",route="/api/v1/files",status="500"}} {bad}
# TYPE outbox_depth gauge
outbox_depth{{subscriber="notification"}} {depth}
# TYPE outbox_oldest_age_seconds gauge
outbox_oldest_age_seconds{{subscriber="notification"}} 12.5
"""


@dataclass
class StubService:
    ready: int = 200
    dependencies: dict[str, Any] = field(default_factory=lambda: {"database": {"status": "ok", "latency_ms": 1.0}})
    good: int = 100
    bad: int = 0
    depth: int = 3
    started: float = 1_790_000_000
    metrics: str | None = None
    sites: list[dict[str, Any]] = field(default_factory=list)
    sites_status: int = 200
    asked_by: set[str] = field(default_factory=set)
    probes: int = 0

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        status, body = self._answer(scope)
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": body.encode()})

    def _answer(self, scope: Scope) -> tuple[int, str]:
        path = scope["path"]
        if path == "/health/ready":
            self.probes += 1
            return self.ready, json.dumps({"status": "?", "dependencies": self.dependencies})
        if path == "/health":
            return 200, json.dumps({"status": "ok", "version": "1.2.3"})
        if path == "/metrics":
            numbers = {"good": self.good, "bad": self.bad, "depth": self.depth, "started": self.started}
            return 200, METRICS.format(**numbers) if self.metrics is None else self.metrics
        return self._list_sites(scope)

    def _list_sites(self, scope: Scope) -> tuple[int, str]:
        """Two a page, so that a reader of the first page only is found out."""
        self.asked_by.add(dict(scope["headers"])[b"authorization"].decode())
        start = 2 if b"cursor=more" in scope["query_string"] else 0
        more = "more" if len(self.sites) > start + 2 else None
        page = {"items": self.sites[start : start + 2], "next_cursor": more, "total": len(self.sites)}
        return self.sites_status, json.dumps(page)
