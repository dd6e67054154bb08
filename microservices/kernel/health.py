"""`/health` (alive; touches nothing) and `/health/ready` (each dependency, with its latency and error)."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse

from microservices.kernel.auth import ANYONE
from microservices.kernel.metrics import render_metrics

_CHECK_TIMEOUT_S = 3


@dataclass(frozen=True)
class ReadinessCheck:
    """`check` raises when the dependency is down; without a `required` one the service answers 503."""

    name: str
    check: Callable[[], object]
    required: bool = True


router = APIRouter(tags=["health"], dependencies=[Depends(ANYONE)])


@router.get("/health")
async def tell_alive(request: Request) -> dict[str, str]:
    return {"status": "ok", "service": request.app.title, "version": request.app.version}


@router.get("/health/ready")
def tell_ready(request: Request) -> JSONResponse:
    checks: Sequence[ReadinessCheck] = request.app.state.readiness_checks
    findings = run_checks(checks)
    ready = all(findings[check.name]["status"] == "ok" for check in checks if check.required)
    body = {"status": "ready" if ready else "unready", "service": request.app.title, "dependencies": findings}
    return JSONResponse(body, status_code=200 if ready else 503)


@router.get("/metrics", include_in_schema=False)
def expose_metrics() -> Response:
    body, content_type = render_metrics()
    return Response(body, media_type=content_type)


def run_checks(checks: Sequence[ReadinessCheck]) -> dict[str, dict[str, Any]]:
    """All checks at once, each with its own deadline."""
    executor = ThreadPoolExecutor(max_workers=max(len(checks), 1))
    try:
        futures = {check.name: executor.submit(_time_check, check) for check in checks}
        findings: dict[str, dict[str, Any]] = {}
        for name, future in futures.items():
            try:
                findings[name] = future.result(timeout=_CHECK_TIMEOUT_S)
            except FutureTimeoutError:
                findings[name] = {"status": "down", "error": f"no answer within {_CHECK_TIMEOUT_S} s"}
        return findings
    finally:
        executor.shutdown(wait=False)


def _time_check(check: ReadinessCheck) -> dict[str, Any]:
    started = time.perf_counter()
    try:
        check.check()
    except Exception as error:  # whatever is wrong with a dependency is the finding
        return {"status": "down", "error": f"{type(error).__name__}: {error}".split("\n")[0][:200]}
    return {"status": "ok", "latency_ms": round((time.perf_counter() - started) * 1000, 2)}
