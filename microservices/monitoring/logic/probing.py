"""Asking all of our services at once how they are: one round takes as long as the slowest answer."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import aiohttp

from microservices.kernel.db import utc_now
from microservices.kernel.logs import get_logger
from microservices.monitoring.logic.measurements import Measurement, read_measurements

_ERROR_LENGTH = 300
_FAILURES = (aiohttp.ClientError, TimeoutError, OSError, ValueError)

log = get_logger(__name__)


@dataclass(frozen=True)
class Finding:
    """What one probe found. `state`: ready, unready (it answers, and cannot work), down (no answer)."""

    service: str
    checked_at: datetime
    state: str
    latency_ms: float | None = None
    version: str | None = None
    error: str | None = None
    dependencies: dict[str, Any] = field(default_factory=dict)
    measurements: list[Measurement] = field(default_factory=list)


async def probe_services(session: aiohttp.ClientSession, services: Mapping[str, str]) -> list[Finding]:
    """`services`: name → base address."""
    return await asyncio.gather(*(probe_service(session, name, url) for name, url in services.items()))


async def probe_service(session: aiohttp.ClientSession, service: str, url: str) -> Finding:
    checked_at = utc_now()
    started = time.perf_counter()
    try:
        async with session.get(f"{url}/health/ready") as answer:
            latency_ms = (time.perf_counter() - started) * 1000
            status, body = answer.status, await answer.json(content_type=None)
    except _FAILURES as error:
        return Finding(service, checked_at, "down", error=_say(error))
    dependencies = body.get("dependencies") if isinstance(body, dict) else None
    ready = status == 200
    version, measurements = await asyncio.gather(_read_version(session, url), _read_metrics(session, url))
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


async def _read_version(session: aiohttp.ClientSession, url: str) -> str | None:
    try:
        async with session.get(f"{url}/health") as answer:
            body = await answer.json(content_type=None)
    except _FAILURES:
        return None
    version = body.get("version") if isinstance(body, dict) else None
    return str(version)[:50] if version else None


async def _read_metrics(session: aiohttp.ClientSession, url: str) -> list[Measurement]:
    """Nothing for the gateway, which shows its metrics to nobody."""
    try:
        async with session.get(f"{url}/metrics") as answer:
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
    return f"{type(error).__name__}: {error}"[:_ERROR_LENGTH].replace("\0", "")
