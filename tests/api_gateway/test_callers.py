"""Who calls, how often they may, and what is written down about it."""

import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
import redis
import time_machine
from sqlalchemy import Engine, create_engine, text

from imputehub.local.children import find_free_port
from imputehub.local.valkey import accepts_connections, make_server_command, make_url
from microservices.api_gateway.logic.access_log import AccessLog
from microservices.api_gateway.logic.rate_limits import name_address
from microservices.api_gateway.logic.tiers import BUILT_IN
from microservices.api_gateway.main import build
from microservices.api_gateway.settings import Settings
from microservices.kernel.db import Database
from microservices.kernel.testing import TokenAuthority, serve_app
from tests.api_gateway.conftest import address_of, await_tiers
from tests.api_gateway.stubs import EchoService
from tests.waiting import wait_until


def test_a_good_token_arrives_at_the_service(http: httpx.Client) -> None:
    received = dict(http.get("/api/v1/jobs").json()["headers"])
    assert received["authorization"] == http.headers["authorization"]


def test_whoever_has_no_token_is_the_services_affair(gateway: str, echo: EchoService) -> None:
    assert httpx.get(f"{gateway}/api/v1/jobs").status_code == 200
    assert "authorization" not in dict(echo.seen[0]["headers"])


@pytest.mark.parametrize("kind", ["rubbish", "ended", "forged", "unsigned"])
def test_a_bad_token_ends_here(gateway: str, echo: EchoService, authority: TokenAuthority, kind: str) -> None:
    good = {"sub": str(uuid4()), "org": str(uuid4())}
    token = {
        "rubbish": "rubbish",
        "ended": authority.sign({**good, "exp": int(time.time()) - 1}),
        "forged": TokenAuthority().sign(good),
        "unsigned": "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.",
    }[kind]
    answer = httpx.get(f"{gateway}/api/v1/jobs", headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.headers["content-type"] == "application/problem+json"
    assert echo.seen == []


def test_a_limit_is_kept_and_told(gateway: str, authority: TokenAuthority) -> None:
    me = authority.person(tier="five")
    with httpx.Client(base_url=gateway, headers=me) as client:
        answers = [client.get("/api/v1/jobs") for _ in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert [left_of(answer) for answer in answers] == [4, 3, 2, 1, 0, 0]
    assert answers[0].headers["ratelimit-policy"] == '"five";q=5;w=864000000'
    refused = answers[-1]
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["code"] == "rate_limited"
    assert refused.headers["ratelimit"] == f'"five";r=0;t={refused.headers["retry-after"]}'


def left_of(answer: httpx.Response) -> int:
    return int(answer.headers["ratelimit"].split(";r=")[1].split(";")[0])


def test_downloads_and_parts_of_uploads_do_not_count(gateway: str, authority: TokenAuthority) -> None:
    free = [
        ("GET", "/api/v1/files/abc/content?signature=s"),
        ("HEAD", "/api/v1/files/abc/content"),
        ("GET", "/api/v1/jobs/abc/results/archive"),
        ("PATCH", "/api/v1/files/uploads/abc"),
        ("GET", "/admin/static/base.css"),
        ("GET", "/health"),
    ]
    with httpx.Client(base_url=gateway, headers=authority.person(tier="five")) as client:
        assert [left_of(client.request(method, path)) for method, path in free] == [5] * len(free)
        assert left_of(client.get("/api/v1/files/abc")) == 4


def test_a_tier_without_limit_is_told_too(http: httpx.Client) -> None:
    answer = http.get("/api/v1/jobs")
    assert answer.headers["ratelimit"] == '"local";r=999999999999999'
    assert answer.headers["ratelimit-policy"] == '"local";q=999999999999999;w=3600'


@pytest.fixture
def mid_hour() -> Iterator[None]:
    """No window of an hour ends meanwhile."""
    with time_machine.travel(datetime.now(UTC).replace(minute=30)):
        yield


@pytest.mark.usefixtures("mid_hour")
def test_callers_without_a_token_share_their_address(gateway: str) -> None:
    first, second = (httpx.get(f"{gateway}/api/v1/jobs", headers={"X-Forwarded-For": f"1.2.3.{n}"}) for n in (1, 2))
    assert first.headers["ratelimit"].startswith('"development";')
    assert left_of(second) == left_of(first) - 1


@pytest.mark.usefixtures("mid_hour")
def test_pages_of_the_admin_are_counted_apart_and_its_log_in_page_is_not(gateway: str) -> None:
    """A session's cookie does not help: whoever made one up would else have a count of their own each time."""
    address = {"X-Forwarded-For": "5.6.7.8"}
    pages = [httpx.get(f"{gateway}/admin/panels/", headers=address | {"Cookie": f"sessionid={n}"}) for n in range(2)]
    assert [page.headers["ratelimit-policy"] for page in pages] == ['"admin_pages";q=3600;w=3600'] * 2
    assert left_of(pages[1]) == left_of(pages[0]) - 1
    for path in ("/admin/login/?next=/admin/", "/admin/%6cogin/", "/api/v1/jobs"):
        assert httpx.post(f"{gateway}{path}", headers=address).headers["ratelimit"].startswith('"development";')


def test_addresses_of_one_household_are_one_caller() -> None:
    assert name_address("2001:db8::1") == name_address("2001:db8::ffff:2") != name_address("2001:db8:0:1::1")
    assert name_address("10.0.0.1") != name_address("10.0.0.2")


def count_in_redis(redis_url: str, user_id: UUID) -> int:
    """What Redis knows of a person of the tier `five`, in their one window."""
    with redis.Redis.from_url(redis_url) as client:
        values: Any = [client.get(key) for key in client.scan_iter(f"ratelimit:five:account:{user_id}:*")]
        return int(values[0]) if values else 0


def test_two_gateways_share_a_count(
    make_settings: Callable[..., Settings], authority: TokenAuthority, redis_url: str
) -> None:
    user_id = uuid4()
    me = authority.person(tier="five", user_id=user_id)
    with serve_app(build(make_settings())) as one, serve_app(build(make_settings())) as two:
        for each in (one, two):
            await_tiers(each, authority)
        for _ in range(3):
            assert httpx.get(f"{one}/api/v1/jobs", headers=me).status_code == 200
        wait_until(lambda: count_in_redis(redis_url, user_id) == 3)
        assert left_of(httpx.get(f"{two}/api/v1/jobs", headers=me)) == 1


class Valkey:
    """A server that a test stops and starts again, with nothing remembered."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._port = find_free_port()
        self.url = make_url(self._port, "pw")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = make_server_command(self._directory, self._port, "pw")
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        wait_until(lambda: accepts_connections(self.url))

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(60)
            self._process = None
        shutil.rmtree(self._directory)


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[Valkey]:
    server = Valkey(tmp_path / "valkey")
    server.start()
    yield server
    server.stop()


def test_counting_goes_on_without_redis_and_reaches_it_later(
    make_settings: Callable[..., Settings], authority: TokenAuthority, valkey: Valkey
) -> None:
    user_id = uuid4()
    app = build(make_settings(redis_url=valkey.url))
    with (
        serve_app(app) as gateway,
        httpx.Client(base_url=gateway, headers=authority.person(tier="five", user_id=user_id)) as client,
    ):
        await_tiers(gateway, authority)
        assert [left_of(client.get("/api/v1/jobs")) for _ in range(2)] == [4, 3]
        wait_until(lambda: count_in_redis(valkey.url, user_id) == 2)
        valkey.stop()
        assert [left_of(client.get("/api/v1/jobs")) for _ in range(2)] == [2, 1]
        ready = client.get("/health/ready")
        assert (ready.status_code, ready.json()["dependencies"]["redis"]["status"]) == (200, "down")
        valkey.start()
        wait_until(lambda: count_in_redis(valkey.url, user_id) == 4)
        assert [client.get("/api/v1/jobs").status_code for _ in range(2)] == [200, 429]
        assert client.get("/health/ready").json()["dependencies"]["redis"]["status"] == "ok"


def test_it_serves_without_redis_and_database_from_the_start(make_settings: Callable[..., Settings]) -> None:
    nowhere = f"127.0.0.1:{find_free_port()}"
    settings = make_settings(redis_url=f"redis://{nowhere}/0", database_url=f"postgresql+psycopg2://x:x@{nowhere}/x")
    with serve_app(build(settings)) as gateway:
        answer = httpx.get(f"{gateway}/api/v1/jobs")
        assert (answer.status_code, answer.headers["ratelimit-policy"]) == (200, '"development";q=1000;w=3600')
        ready = httpx.get(f"{gateway}/health/ready")
    assert ready.status_code == 200
    assert {name: found["status"] for name, found in ready.json()["dependencies"].items()} == {
        "database": "down",
        "redis": "down",
    }


def test_the_built_in_tiers_are_those_of_the_database(engine: Engine) -> None:
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT name, requests, window_s FROM rate_limit_tiers WHERE name <> 'five'"))
        assert {tuple(row) for row in rows} == {(tier.name, tier.requests, tier.window_s) for tier in BUILT_IN}


@pytest.fixture
def engine(gateway_database: str) -> Iterator[Engine]:
    engine = create_engine(gateway_database)
    yield engine
    engine.dispose()


def find_rows(engine: Engine, request_id: str) -> list[dict[str, Any]]:
    with engine.connect() as connection:
        found = connection.execute(text("SELECT * FROM access_log WHERE request_id = :id"), {"id": request_id})
        return [dict(row) for row in found.mappings()]


def test_each_request_is_written_down_without_its_secrets(
    gateway: str, authority: TokenAuthority, engine: Engine
) -> None:
    request_id, user_id, organization_id = uuid4().hex, uuid4(), uuid4()
    me = authority.person(user_id=user_id, organization_id=organization_id)
    httpx.post(
        f"{gateway}/api/v1/files/abc/content?expires=1&signature=TOPSECRET&token=ALSO",
        headers={**me, "X-Request-ID": request_id},
        content=b"12345",
    )
    wait_until(lambda: find_rows(engine, request_id))
    (row,) = find_rows(engine, request_id)
    token = me["Authorization"].removeprefix("Bearer ")
    assert not any(secret in str(row) for secret in ("TOPSECRET", "ALSO", "signature", token))
    expected = {
        "method": "POST",
        "path": "/api/v1/files/abc/content",
        "upstream": "file_manager",
        "status": 200,
        "outcome": "completed",
        "bytes_in": 5,
        "subject": str(user_id),
        "organization_id": organization_id,
        "address": "127.0.0.1",
    }
    assert {name: row[name] for name in expected} == expected
    assert row["bytes_out"] > 0
    assert 0 < row["duration_ms"] < 10_000


def test_a_client_that_left_is_written_down_as_such(gateway: str, echo: EchoService, engine: Engine) -> None:
    request_id = uuid4().hex
    with socket.create_connection(address_of(gateway), timeout=60) as connection:
        connection.sendall(f"GET /api/v1/jobs/slow HTTP/1.1\r\nHost: x\r\nX-Request-ID: {request_id}\r\n\r\n".encode())
        assert echo.waiting.wait(60)
    assert echo.left.wait(60)
    wait_until(lambda: find_rows(engine, request_id))
    (row,) = find_rows(engine, request_id)
    assert (row["status"], row["outcome"]) == (499, "client_gone")


def test_odd_paths_do_not_stop_the_log(gateway: str, engine: Engine) -> None:
    request_id = uuid4().hex
    url = httpx.URL(gateway).copy_with(raw_path=b'/%00/"quoted",\\N/' + b"x" * 600)
    assert httpx.get(url, headers={"X-Request-ID": request_id}).status_code == 404
    wait_until(lambda: find_rows(engine, request_id))
    (row,) = find_rows(engine, request_id)
    assert row["path"].startswith("/%00/%22quoted%22,\\N/xxx")
    assert len(row["path"]) == 500


def test_a_full_queue_drops_rows_and_counts_them(gateway_database: str) -> None:
    database = Database(gateway_database)
    access_log = AccessLog(database, keep_days=1, room=3)
    for _ in range(5):
        access_log.add(())
    database.dispose()
    assert access_log.dropped == 2
