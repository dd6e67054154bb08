"""`/health` (alive; touches nothing), `/health/ready` (each dependency with its latency and error), `/metrics`."""

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import closing
from importlib.metadata import version
from typing import Any

import httpx
import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from django_app.outbox.states import measure_outbox
from microservices.kernel.logs import get_logger
from microservices.kernel.metrics import render_metrics

_CHECK_TIMEOUT_S = 3
_REQUIRED = {"database"}

log = get_logger(__name__)


@require_safe
def tell_alive(_request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "ok", "service": "django", "version": version("imputehub")})


@require_safe
def tell_ready(_request: HttpRequest) -> JsonResponse:
    """Without the broker or the registry curation goes on: changes wait in the outbox."""
    findings = run_checks(
        {
            "database": _ask_database,
            "broker": _ask_broker,
            "user_service": lambda: _ask_service(settings.ENVIRONMENT.authority_url),
            "service_registry": lambda: _ask_service(settings.ENVIRONMENT.registry_url),
        }
    )
    ready = all(findings[name]["status"] == "ok" for name in _REQUIRED)
    body = {"status": "ready" if ready else "unready", "service": "django", "dependencies": findings}
    return JsonResponse(body, status=200 if ready else 503)


@require_safe
def expose_metrics(_request: HttpRequest) -> HttpResponse:
    try:
        measure_outbox()
    except DatabaseError as error:
        log.warning("outbox_not_measured", error=str(error).strip()[:300])
    body, content_type = render_metrics()
    return HttpResponse(body, content_type=content_type)


def _ask_database() -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    finally:
        connection.close()


def _ask_broker() -> None:
    with closing(redis.Redis.from_url(settings.CELERY_BROKER_URL, socket_timeout=2)) as client:
        client.ping()


def _ask_service(base_url: str) -> None:
    httpx.get(f"{base_url}/health", timeout=2, trust_env=False).raise_for_status()


def run_checks(checks: Mapping[str, Callable[[], None]]) -> dict[str, dict[str, Any]]:
    """All checks at once, each with its own deadline."""
    executor = ThreadPoolExecutor(max_workers=len(checks))
    try:
        futures = {name: executor.submit(_time_check, check) for name, check in checks.items()}
        findings: dict[str, dict[str, Any]] = {}
        for name, future in futures.items():
            try:
                findings[name] = future.result(timeout=_CHECK_TIMEOUT_S)
            except FutureTimeoutError:
                findings[name] = {"status": "down", "error": f"no answer within {_CHECK_TIMEOUT_S} s"}
        return findings
    finally:
        executor.shutdown(wait=False)


def _time_check(check: Callable[[], None]) -> dict[str, Any]:
    started = time.perf_counter()
    try:
        check()
    except Exception as error:  # whatever is wrong with a dependency is the finding
        return {"status": "down", "error": f"{type(error).__name__}: {error}".split("\n")[0][:200]}
    return {"status": "ok", "latency_ms": round((time.perf_counter() - started) * 1000, 2)}
