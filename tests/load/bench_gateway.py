# ruff: noqa: T201
"""What the gateway costs: a 1 kB GET through it against the same GET asked of the service directly, side by side.

Three processes: a service made like ours, the gateway (real PostgreSQL and Valkey, a verified token, a rate limit that
counts), and this one, whose client speaks just enough HTTP to cost little. Rounds alternate; ratios of one round count,
since absolute figures move with the machine. `python tests/load/bench_gateway.py` runs it.
"""

import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import httpx
from fastapi import APIRouter, Depends, FastAPI
from pydantic import BaseModel
from sqlalchemy import create_engine, text

from imputehub.local.children import find_free_port
from imputehub.local.postgresql import run_postgresql
from imputehub.local.valkey import run_valkey
from microservices.kernel.app import create_app
from microservices.kernel.auth import PEOPLE
from microservices.kernel.migrations import migrate_database
from microservices.kernel.settings import ServiceSettings, settings_config
from microservices.kernel.testing import TokenAuthority, serve_authority

ROUNDS = 5
REQUESTS = {1: 1_500, 50: 8_000}
MARK_RATIO, MARK_ADDED_MS = 0.75, 0.35


class Content(BaseModel):
    content: str


def create_service() -> FastAPI:
    """A service like ours: it verifies the token itself, runs a `def` endpoint in a thread, and answers by a model."""
    router = APIRouter(dependencies=[Depends(PEOPLE)])

    @router.get("/api/v1/jobs")
    def answer() -> Content:
        return Content(content="x" * 1000)

    class Settings(ServiceSettings):
        model_config = settings_config("BENCH_")

    return create_app("bench", Settings(), [router])


class Lane(asyncio.Protocol):
    """One connection that asks again as soon as it is answered, until the shared number of requests is used up."""

    def __init__(self, request: bytes, remaining: list[int], times: list[float], done: asyncio.Future[None]) -> None:
        self._request, self._remaining, self._times, self._done = request, remaining, times, done
        self._buffer = b""
        self._expected = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._ask()

    def _ask(self) -> None:
        if self._remaining[0] <= 0:
            if not self._done.done():
                self._done.set_result(None)
            return
        self._remaining[0] -= 1
        self._asked_at = time.perf_counter()
        self._transport.write(self._request)  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._expected:
            head, separator, _ = self._buffer.partition(b"\r\n\r\n")
            if not separator:
                return
            if not head.startswith(b"HTTP/1.1 200"):
                self._done.set_exception(RuntimeError(head.decode()))
                return
            length = head.lower().split(b"content-length: ")[1].split(b"\r\n")[0]
            self._expected = len(head) + 4 + int(length)
        if len(self._buffer) >= self._expected:
            self._times.append(time.perf_counter() - self._asked_at)
            self._buffer, self._expected = b"", 0
            self._ask()

    def connection_lost(self, _error: Exception | None) -> None:
        if not self._done.done():
            self._done.set_exception(ConnectionError("The server has closed the connection"))


async def load(url: str, headers: dict[str, str], concurrency: int, requests: int) -> tuple[float, float]:
    """(requests per second, median milliseconds)."""
    port = int(url.rsplit(":", 1)[1])
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    request = f"GET /api/v1/jobs HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{lines}\r\n".encode()
    loop = asyncio.get_running_loop()
    remaining, times = [requests], list[float]()
    finished = [loop.create_future() for _ in range(concurrency)]
    started = time.perf_counter()
    lanes = [
        await loop.create_connection(partial(Lane, request, remaining, times, done), "127.0.0.1", port)
        for done in finished
    ]
    await asyncio.gather(*finished)
    seconds = time.perf_counter() - started
    for transport, _ in lanes:
        transport.close()
    return len(times) / seconds, statistics.median(times) * 1000


@contextmanager
def run_server(target: str, environment: dict[str, str]) -> Iterator[str]:
    port = find_free_port()
    command = [
        sys.executable,
        "-m",
        "uvicorn",
        target,
        "--factory",
        "--port",
        str(port),
        "--no-access-log",
        "--no-proxy-headers",
    ]
    process = subprocess.Popen([*command, "--log-level", "warning"], env={**os.environ, **environment})
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                httpx.get(f"{url}/health")
                break
            except httpx.TransportError:
                time.sleep(0.05)
        yield url
    finally:
        process.terminate()
        process.wait(10)


@contextmanager
def run_gateway(folder: Path, service: str, authority: str) -> Iterator[str]:
    with run_postgresql(folder / "postgresql", fast=True) as server, run_valkey(folder / "valkey") as redis_url:
        database = server.create_database()
        migrate_database("api_gateway", database)
        engine = create_engine(database)
        with engine.begin() as connection:
            connection.execute(
                text("INSERT INTO rate_limit_tiers (name, requests, window_s) VALUES ('bench', 1000000000, 3600)")
            )
        engine.dispose()
        environment = {
            "API_GATEWAY_DATABASE_URL": database,
            "API_GATEWAY_CLIENT_SECRET": "unused",
            "REDIS_URL": redis_url,
            "USER_SERVICE_URL": authority,
            "JOB_PROCESSOR_URL": service,
            "LOG_LEVEL": "WARNING",
        }
        with run_server("microservices.api_gateway.main:create", environment) as url:
            yield url


def make_service_environment(authority: str) -> dict[str, str]:
    return {
        "BENCH_DATABASE_URL": "postgresql+psycopg2://127.0.0.1:1/unused",
        "BENCH_CLIENT_SECRET": "unused",
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "USER_SERVICE_URL": authority,
        "LOG_LEVEL": "WARNING",
    }


def measure(direct: str, gateway: str, headers: dict[str, str]) -> None:
    rounds: dict[int, list[tuple[float, float, float, float]]] = {1: [], 50: []}
    for concurrency, requests in REQUESTS.items():
        for url in (direct, gateway):
            asyncio.run(load(url, headers, concurrency, requests // 4))
        for _ in range(ROUNDS):
            plain = asyncio.run(load(direct, headers, concurrency, requests))
            passed = asyncio.run(load(gateway, headers, concurrency, requests))
            rounds[concurrency].append((*plain, *passed))
            print(
                f"c={concurrency:<3} direct {plain[0]:7.0f}/s p50 {plain[1]:6.3f} ms   "
                f"gateway {passed[0]:7.0f}/s p50 {passed[1]:6.3f} ms   "
                f"ratio {passed[0] / plain[0]:.2f}   added p50 {passed[1] - plain[1]:.3f} ms"
            )
    ratio = statistics.median(passed / plain for plain, _, passed, _ in rounds[50])
    added = statistics.median(passed - plain for _, plain, _, passed in rounds[1])
    print(f"throughput at c=50: {ratio:.2f} of direct (mark: at least {MARK_RATIO})")
    print(f"added p50 at c=1: {added:.3f} ms (mark: at most {MARK_ADDED_MS} ms)")


def main() -> None:
    authority = TokenAuthority()
    headers = authority.person(tier="bench")
    with (
        tempfile.TemporaryDirectory() as folder,
        serve_authority(authority) as authority_url,
        run_server("tests.load.bench_gateway:create_service", make_service_environment(authority_url)) as service,
        run_gateway(Path(folder), service, authority_url) as gateway,
    ):
        measure(service, gateway, headers)


if __name__ == "__main__":
    main()
