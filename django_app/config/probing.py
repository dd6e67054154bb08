"""How our own services are: each is asked, all at once, what it says of itself."""

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

import aiohttp
import redis
from django.conf import settings
from django.db import DatabaseError, connection
from kombu.exceptions import OperationalError
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from django_app.config.celery import app as celery

_TIMEOUT_S = 5.0
_PROBED_ROUTES = {"/health", "/health/ready", "/metrics"}
_FAILURES = (aiohttp.ClientError, TimeoutError, OSError, ValueError)


@dataclass(frozen=True)
class Usage:
    """Since the process began: `error_percent` of its answers were 5xx; None before the first one."""

    error_percent: float | None = None
    memory_bytes: int | None = None
    uptime: timedelta | None = None


@dataclass(frozen=True)
class ServiceState:
    """`state`: ready, unready (it answers, and cannot work) or down (no answer within 5 s); `error` in words."""

    name: str
    state: Literal["ready", "unready", "down"]
    latency_ms: float | None = None
    version: str = ""
    error: str = ""
    usage: Usage = Usage()


async def probe_services(services: Mapping[str, str]) -> list[ServiceState]:
    """`services`: name → base address. Takes as long as the slowest answer, and twice 5 s at most."""
    timeout = aiohttp.ClientTimeout(total=_TIMEOUT_S)
    async with aiohttp.ClientSession(timeout=timeout, trust_env=False) as http:
        return await asyncio.gather(*(probe_service(http, name, url) for name, url in services.items()))


async def probe_service(http: aiohttp.ClientSession, name: str, url: str) -> ServiceState:
    started = time.perf_counter()
    try:
        async with http.get(f"{url}/health/ready") as answer:
            latency_ms = (time.perf_counter() - started) * 1000
            status, body = answer.status, await answer.json(content_type=None)
    except _FAILURES as error:
        return ServiceState(name, "down", error=_say(error))
    version, usage = await asyncio.gather(_read_version(http, url), _read_usage(http, url))
    state: Literal["ready", "unready"] = "ready" if status == 200 else "unready"
    return ServiceState(name, state, latency_ms, version, _name_broken(status, body), usage)


def _say(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return f"no answer within {_TIMEOUT_S:.0f} s"
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"cannot be reached: {error.os_error.strerror or 'connection failed'}"
    return f"{type(error).__name__}: {error}"[:200]


def _name_broken(status: int, body: Any) -> str:
    """The dependencies that fail, also those that a ready service can do without."""
    dependencies = body.get("dependencies") if isinstance(body, dict) else None
    broken = [
        f"{name}: {found.get('error') or found.get('status')}"
        for name, found in (dependencies.items() if isinstance(dependencies, dict) else ())
        if isinstance(found, dict) and found.get("status") != "ok"
    ]
    return ("; ".join(broken) or ("" if status == 200 else f"answers {status}"))[:300]


async def _read_version(http: aiohttp.ClientSession, url: str) -> str:
    try:
        async with http.get(f"{url}/health") as answer:
            body = await answer.json(content_type=None)
    except _FAILURES:
        return ""
    return str(body.get("version", ""))[:50] if isinstance(body, dict) else ""


async def _read_usage(http: aiohttp.ClientSession, url: str) -> Usage:
    """Nothing for the gateway, which shows its metrics to nobody."""
    try:
        async with http.get(f"{url}/metrics") as answer:
            return read_usage(await answer.text()) if answer.status == 200 else Usage()
    except _FAILURES:
        return Usage()


def read_usage(exposition: str) -> Usage:
    """Raises `ValueError` for what is not in Prometheus' format. Probes do not count as requests."""
    samples = [sample for family in text_string_to_metric_families(exposition) for sample in family.samples]
    gauges = {sample.name: sample.value for sample in samples if not sample.labels}
    memory, began = gauges.get("process_resident_memory_bytes"), gauges.get("process_start_time_seconds")
    return Usage(
        _rate_errors(samples),
        int(memory) if memory is not None else None,
        timedelta(seconds=max(int(time.time() - began), 0)) if began is not None else None,
    )


def _rate_errors(samples: list[Sample]) -> float | None:
    counted = [
        (sample.value, sample.labels.get("status", "").startswith("5"))
        for sample in samples
        if sample.name == "http_requests_total" and sample.labels.get("route") not in _PROBED_ROUTES
    ]
    total = sum(value for value, _ in counted)
    return 100 * sum(value for value, failed in counted if failed) / total if total else None


async def probe_foundations() -> list[ServiceState]:
    """Our database, our broker and our worker, as this process reaches them."""
    probes = {"postgresql": _ask_postgresql, "valkey": _ask_valkey, "django_worker": _ask_worker}
    return await asyncio.gather(*(_probe_foundation(name, ask) for name, ask in probes.items()))


async def _probe_foundation(name: str, ask: Callable[[], tuple[str, Usage]]) -> ServiceState:
    started = time.perf_counter()
    try:
        version, usage = await asyncio.wait_for(asyncio.to_thread(ask), _TIMEOUT_S)
    except TimeoutError:
        return ServiceState(name, "down", error=f"no answer within {_TIMEOUT_S:.0f} s")
    except (DatabaseError, redis.RedisError, OperationalError, OSError) as error:
        return ServiceState(name, "down", error=f"{type(error).__name__}: {str(error).strip()}".split("\n")[0][:200])
    return ServiceState(name, "ready", (time.perf_counter() - started) * 1000, version, usage=usage)


def _ask_postgresql() -> tuple[str, Usage]:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('server_version'), now() - pg_postmaster_start_time()")
            version, uptime = cursor.fetchone()
    finally:
        connection.close()
    return str(version).split(" ")[0], Usage(uptime=timedelta(seconds=int(uptime.total_seconds())))


def _ask_valkey() -> tuple[str, Usage]:
    with closing(redis.Redis.from_url(settings.CELERY_BROKER_URL, socket_timeout=_TIMEOUT_S)) as client:
        found: Any = client.info()
    version = str(found.get("valkey_version") or found["redis_version"])
    uptime = timedelta(seconds=int(found["uptime_in_seconds"]))
    return version, Usage(memory_bytes=int(found["used_memory_rss"]), uptime=uptime)


def _ask_worker() -> tuple[str, Usage]:
    """Raises TimeoutError without an answer."""
    if not celery.control.ping(timeout=_TIMEOUT_S, limit=1):
        raise TimeoutError
    return "", Usage()
