"""WebSockets through the gateway."""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import create_engine, text
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from imputehub.local.postgresql import PostgresqlServer
from microservices.api_gateway.main import build
from microservices.api_gateway.settings import Settings
from microservices.kernel.migrations import migrate_database
from microservices.kernel.testing import TokenAuthority, serve_app
from microservices.notification.main import build as build_notification
from microservices.notification.settings import Settings as NotificationSettings
from tests.api_gateway.socket_service import SocketService
from tests.waiting import wait_until


@pytest.fixture(scope="module")
def service() -> SocketService:
    return SocketService()


@pytest.fixture(scope="module")
def url(make_settings: Callable[..., Settings], service: SocketService) -> Iterator[str]:
    with serve_app(service) as behind:
        settings = make_settings(notification_url=behind, live_connections=3)
        with serve_app(build(settings), proxy_headers=False) as gateway:
            yield gateway


def dial(url: str, path: str = "/api/v1/events", **options: Any) -> ClientConnection:
    return connect(url.replace("http", "ws", 1) + path, proxy=None, legacy=True, open_timeout=60, **options)


def test_messages_pass_both_ways(url: str) -> None:
    with dial(url) as socket:
        for message in ('{"a": "é"}', b"\x00\xff", '"' + "x" * 60_000 + '"'):
            socket.send(message)
            assert socket.recv(60) == message


def test_the_service_sees_who_asks_and_from_which_page(url: str, service: SocketService) -> None:
    lies = {"X-Forwarded-For": "6.6.6.6", "X-Request-ID": "my-request-0001"}
    with dial(url, origin="https://hub.example.org", additional_headers=lies):
        opened = service.opened[-1]
    headers = opened["headers"]
    assert (opened["path"], headers["origin"]) == ("/api/v1/events", "https://hub.example.org")
    assert headers["host"] == headers["x-forwarded-host"] == url.removeprefix("http://")
    assert (headers["x-forwarded-for"], headers["x-forwarded-proto"]) == ("127.0.0.1", "http")
    assert headers["x-request-id"] == "my-request-0001"


def test_the_services_close_reaches_the_client(url: str) -> None:
    with dial(url) as socket:
        socket.send(json.dumps({"close": 4401, "reason": "The token has ended — log in."}))
        with pytest.raises(ConnectionClosed):
            socket.recv(60)
        assert (socket.close_code, socket.close_reason) == (4401, "The token has ended — log in.")


def test_the_clients_close_reaches_the_service(url: str, service: SocketService) -> None:
    with dial(url) as socket:
        socket.close(4999, "bye")
    wait_until(lambda: (4999, "bye") in service.closed)


def test_a_client_that_vanishes_is_not_kept_at_the_service(url: str, service: SocketService) -> None:
    before = len(service.closed)
    socket = dial(url)
    socket.socket.close()
    wait_until(lambda: len(service.closed) > before)


def test_a_service_that_breaks_off_lets_the_client_come_again(url: str) -> None:
    with dial(url) as socket:
        socket.send(json.dumps({"cut": True}))
        with pytest.raises(ConnectionClosed):
            socket.recv(60)
        assert socket.close_code == 1013


def test_a_refused_page_is_told_so(url: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        dial(url, origin="https://evil.example.org")
    response = refused.value.response
    assert (response.status_code, response.headers["content-type"]) == (403, "application/problem+json")


@pytest.mark.parametrize("path", ["/api/v1/events/", "/api/v1/jobs", "/internal/events", "/", "/api/v1/%65vents"])
def test_other_addresses_have_no_websocket(url: str, service: SocketService, path: str) -> None:
    before = len(service.opened)
    with pytest.raises(InvalidStatus) as refused:
        dial(url, path)
    assert refused.value.response.status_code == 404
    assert json.loads(refused.value.response.body or b"")["code"] == "not_found"
    assert len(service.opened) == before


def test_a_service_that_is_away_is_said_to_be(make_settings: Callable[..., Settings]) -> None:
    with (
        serve_app(build(make_settings(notification_url="http://127.0.0.1:1"))) as gateway,
        pytest.raises(InvalidStatus) as refused,
    ):
        dial(gateway)
    assert refused.value.response.status_code == 503
    assert json.loads(refused.value.response.body or b"")["code"] == "dependency_unavailable"


def test_a_huge_message_ends_the_connection_and_reaches_nobody(url: str) -> None:
    with dial(url) as socket:
        socket.send("x" * 70_000)
        with pytest.raises(ConnectionClosed):
            socket.recv(60)
        assert socket.close_code == 1009


def test_the_number_of_connections_is_bounded(url: str) -> None:
    with dial(url), dial(url), dial(url), pytest.raises(InvalidStatus) as refused:
        dial(url)
    assert refused.value.response.status_code == 503
    assert json.loads(refused.value.response.body or b"")["code"] == "too_many_connections"
    wait_until(lambda: _can_dial(url))


def _can_dial(url: str) -> bool:
    try:
        dial(url).close()
    except InvalidStatus:
        return False
    return True


def test_a_slow_client_makes_the_service_wait(url: str, service: SocketService) -> None:
    total = 40
    with dial(url, max_queue=1, max_size=None, compression=None) as socket:
        socket.send(json.dumps({"flood": total}))
        wait_until(lambda: _rests(service))
        assert service.sent < total
        assert sum(len(socket.recv(60)) for _ in range(total)) == total * 1024**2


def _rests(service: SocketService) -> bool:
    before = service.sent
    time.sleep(0.3)
    return 0 < service.sent == before


def test_the_access_log_knows_the_connection_and_nothing_tells_the_token(
    make_settings: Callable[..., Settings],
    gateway_database: str,
    service: SocketService,
    capsys: pytest.CaptureFixture[str],
) -> None:
    request_id = "socket-request-0001"
    with serve_app(service) as behind:
        settings = make_settings(notification_url=behind, log_level="INFO")
        with serve_app(build(settings)) as url:
            headers = {"X-Request-ID": request_id}
            with dial(url, "/api/v1/events?token=confidential", additional_headers=headers) as socket:
                socket.send('{"token": "confidential"}')
                socket.recv(60)
    engine = create_engine(gateway_database)
    with engine.connect() as connection:
        query = text("SELECT method, path, upstream, status, outcome, bytes_in FROM access_log WHERE request_id = :id")
        rows = connection.execute(query, {"id": request_id}).all()
    engine.dispose()
    assert [tuple(row) for row in rows] == [("GET", "/api/v1/events", "notification", 101, "completed", 25)]
    printed = capsys.readouterr().out
    assert "Application startup complete" in printed
    assert "confidential" not in printed


def test_live_events_come_through(
    make_settings: Callable[..., Settings],
    postgresql: PostgresqlServer,
    redis_url: str,
    authority: TokenAuthority,
    authority_url: str,
) -> None:
    database = postgresql.create_database()
    migrate_database("notification", database)
    given: dict[str, Any] = {"database_url": database, "redis_url": redis_url, "authority_url": authority_url}
    given["client_secret"] = "unused"
    notification = build_notification(NotificationSettings(**given))
    token = authority.person()["Authorization"].removeprefix("Bearer ")
    with serve_app(notification) as behind, serve_app(build(make_settings(notification_url=behind))) as url:
        with dial(url, origin="http://127.0.0.1:8000") as socket:
            socket.send(json.dumps({"token": token}))
            assert json.loads(socket.recv(60))["type"] == "stream.opened"
        with dial(url) as socket:
            socket.send(json.dumps({"token": "nonsense"}))
            with pytest.raises(ConnectionClosed):
                socket.recv(60)
            assert socket.close_code == 4401
