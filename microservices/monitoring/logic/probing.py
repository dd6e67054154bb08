"""Asking all of our services at once how they are: one round takes as long as the slowest answer."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import aiohttp

from microservices.contracts.monitoring import ServiceState
from microservices.kernel.db import utc_now
from microservices.kernel.errors import ServiceError
from microservices.kernel.logs import get_logger
from microservices.kernel.service_tokens import ServiceTokens
from microservices.monitoring.logic.measurements import Measurement, read_measurements

_ERROR_LENGTH = 300
_HIDE_METRICS = frozenset({"api_gateway"})
_FAILURES = (aiohttp.ClientError, TimeoutError, OSError, ValueError)

log = get_logger(__name__)


@dataclass(frozen=True)
class Finding:
    """What one probe found. `state`: ready, unready (it answers, and cannot work), down (no answer)."""

    service: str
    checked_at: datetime
    state: ServiceState
    latency_ms: float | None = None
    version: str | None = None
    error: str | None = None
    dependencies: dict[str, Any] = field(default_factory=dict)
    measurements: list[Measurement] = field(default_factory=list)


class Prober:
    """`tokens`: ours, shown to the gateway alone, since it hides its metrics from the public."""

    def __init__(self, session: aiohttp.ClientSession, tokens: ServiceTokens) -> None:
        self._session = session
        self._tokens = tokens

    async def probe_all(self, services: Mapping[str, str]) -> list[Finding]:
        """`services`: name → base address."""
        return await asyncio.gather(*(self.probe(name, url) for name, url in services.items()))

    async def find_silence(self, url: str) -> str:
        """Why there is no answer; empty when it lives."""
        try:
            async with self._session.get(f"{url}/health") as answer:
                await answer.read()
        except _FAILURES as error:
            return _say(error)
        return ""

    async def probe(self, service: str, url: str) -> Finding:
        checked_at = utc_now()
        started = time.perf_counter()
        try:
            async with self._session.get(f"{url}/health/ready") as answer:
                latency_ms = (time.perf_counter() - started) * 1000
                status, body = answer.status, await answer.json(content_type=None)
        except _FAILURES as error:
            return Finding(service, checked_at, "down", error=_say(error))
        dependencies = body.get("dependencies") if isinstance(body, dict) else None
        ready = status == 200
        version, measurements = await asyncio.gather(
            _read_version(self._session, url), _read_metrics(self._session, url, await self._show_token(service))
        )
        return Finding(
            service,
            checked_at,
            "ready" if ready else "unready",
            round(latency_ms, 3),
            version,
            None if ready else _explain_unready(status, dependencies),
            dependencies if isinstance(dependencies, dict) else {},
            measurements,
        )

    async def _show_token(self, service: str) -> dict[str, str]:
        """Headers. Without a token there are only no metrics."""
        if service not in _HIDE_METRICS:
            return {}
        try:
            return {"Authorization": f"Bearer {await asyncio.to_thread(self._tokens.get)}"}
        except ServiceError:
            return {}


async def _read_version(session: aiohttp.ClientSession, url: str) -> str | None:
    try:
        async with session.get(f"{url}/health") as answer:
            body = await answer.json(content_type=None)
    except _FAILURES:
        return None
    version = body.get("version") if isinstance(body, dict) else None
    return str(version)[:50] if version else None


async def _read_metrics(session: aiohttp.ClientSession, url: str, headers: Mapping[str, str]) -> list[Measurement]:
    try:
        async with session.get(f"{url}/metrics", headers=headers) as answer:
            return read_measurements(await answer.text()) if answer.status == 200 else []
    except _FAILURES as error:
        log.warning("metrics_not_read", url=url, error=type(error).__name__)
        return []


def _explain_unready(status: int, dependencies: Any) -> str:
    broken = [
        f"{name}: {found.get('error') or found.get('status')}"
        for name, found in (dependencies.items() if isinstance(dependencies, dict) else ())
        if isinstance(found, dict) and found.get("status") != "ok"
    ]
    return ("; ".join(broken) or f"answers {status}")[:_ERROR_LENGTH]


def _say(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "does not answer in time"
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"nothing answers at {error.host}:{error.port}"
    return f"{type(error).__name__}: {error}"[:_ERROR_LENGTH].replace("\0", "")
