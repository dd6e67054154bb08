"""Who may listen, for how long, and what becomes of clients that misbehave."""

import json
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any
from uuid import uuid4

import httpx
import psutil
import pytest
import redis
from websockets.exceptions import ConnectionClosed, InvalidStatus

from microservices.kernel.revocations import publish_revocations
from microservices.kernel.testing import TokenAuthority, serve_app
from microservices.notification.main import build
from microservices.notification.settings import Settings
from tests.notification.world import Listener, Person, health_event, job_event, open_socket, read_close, send


def close_after(url: str, message: str | bytes) -> int:
    with open_socket(url) as connection:
        connection.send(message)
        return read_close(connection)[0]


def test_a_bad_token_closes_the_connection(service_url: str, authority: TokenAuthority, person: Person) -> None:
    ended = person.short_token(-60)
    for token in ("nonsense", ended, person.token[:-6] + "AAAAAA"):
        assert close_after(service_url, json.dumps({"token": token})) == 4401


def test_services_have_no_live_events(service_url: str, authority: TokenAuthority) -> None:
    token = authority.service("job_processor")["Authorization"].removeprefix("Bearer ")
    assert close_after(service_url, json.dumps({"token": token})) == 4403


@pytest.mark.parametrize("message", ["", "{", "[]", '"x"', "{}", '{"token": 1}', '{"token": "x", "more": 1}', b"\x00"])
def test_a_first_message_that_is_none_closes_the_connection(service_url: str, message: str | bytes) -> None:
    assert close_after(service_url, message) == 4400


def test_a_huge_message_closes_the_connection(service_url: str) -> None:
    assert close_after(service_url, json.dumps({"token": "x" * 20_000})) == 1009


def test_silence_closes_the_connection(make_settings: Callable[..., Settings]) -> None:
    with serve_app(build(make_settings(first_message_s=0.2))) as url, open_socket(url) as connection:
        code, reason = read_close(connection)
    assert (code, "first message" in reason) == (4401, True)


def test_the_end_of_the_token_ends_the_connection(service_url: str, person: Person) -> None:
    with Listener(service_url, person.short_token(1.2)) as listener:
        assert read_close(listener.socket)[0] == 4401


def test_a_new_token_prolongs_the_connection(
    service: httpx.Client, service_url: str, authority: TokenAuthority, person: Person
) -> None:
    with Listener(service_url, person.short_token(1.5)) as renewed, Listener(service_url, person.short_token(2)) as old:
        renewed.socket.send(json.dumps({"token": person.token}))
        assert read_close(old.socket)[0] == 4401  # the time of the first token is over
        send(service, authority, job_event(person, "running"))
        assert renewed.read()["type"] == "job.updated"


def test_a_token_of_somebody_else_does_not_prolong(service_url: str, authority: TokenAuthority, person: Person) -> None:
    with Listener(service_url, person.token) as listener:
        listener.socket.send(json.dumps({"token": Person(authority).token}))
        assert read_close(listener.socket)[0] == 4403


@pytest.mark.parametrize("origin", ["https://evil.example.org", "null", "https://hub.example.org.evil.example.org"])
def test_pages_of_other_origins_are_refused(service_url: str, origin: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        open_socket(service_url, origin=origin)
    assert refused.value.response.status_code == 403
    assert json.loads(refused.value.response.body or b"")["code"] == "origin_refused"


def test_our_own_pages_and_programs_are_welcome(make_settings: Callable[..., Settings], person: Person) -> None:
    local = make_settings(public_url="http://127.0.0.1:8000", allowed_origins=["https://friend.example.org"])
    with serve_app(build(local)) as url:
        for origin in (None, "http://127.0.0.1:8000", "http://localhost:8000", "https://friend.example.org"):
            with Listener(url, person.token, origin=origin) as listener:
                assert listener.opening["type"] == "stream.opened"


def test_a_person_has_a_bounded_number_of_connections(
    make_settings: Callable[..., Settings], authority: TokenAuthority, person: Person
) -> None:
    with serve_app(build(make_settings(live_connections_per_person=1))) as url, Listener(url, person.token):
        with Listener(url, person.token) as second:
            assert read_close(second.socket)[0] == 4429
        with Listener(url, Person(authority).token) as other:
            assert other.opening["type"] == "stream.opened"


def test_a_client_that_reads_too_slowly_is_let_go_and_misses_nothing(
    make_settings: Callable[..., Settings], authority: TokenAuthority, person: Person
) -> None:
    names = [f"{n} " + "x" * 400_000 for n in range(40)]
    with serve_app(build(make_settings(live_queue=2))) as url, httpx.Client(base_url=url, timeout=60) as client:
        with Listener(url, person.token, max_queue=1, compression=None) as slow:
            for name in names:
                assert send(client, authority, job_event(person, "running", name=name)).status_code == 204
            told: list[dict[str, Any]] = []
            with suppress(ConnectionClosed):
                while True:
                    told.append(slow.read())
            assert slow.socket.close_code == 4408
            assert len(told) < len(names)
        with Listener(url, person.token, slow.after) as again:
            told += again.read_until(len(names) - len(told))
    assert [event["data"]["name"] for event in told] == names


def test_many_idle_clients_are_cheap_and_all_are_told(
    service: httpx.Client, service_url: str, authority: TokenAuthority
) -> None:
    people = [Person(authority) for _ in range(150)]
    process = psutil.Process()
    before = process.memory_info().rss
    with ThreadPoolExecutor(4) as pool:
        listeners = list(pool.map(lambda one: Listener(service_url, one.token, compression=None), people))
    # Both ends of each connection are in this process, and a thread for each of the clients'.
    assert (process.memory_info().rss - before) / len(people) < 600_000
    event = health_event("healthy", "unhealthy")
    send(service, authority, event)
    for listener in listeners:
        assert listener.read()["subject"] == event["subject"]
        listener.socket.close()


def test_a_log_out_closes_the_connections_of_that_log_in_and_no_others(
    service: httpx.Client, service_url: str, authority: TokenAuthority, person: Person, redis_url: str
) -> None:
    ended, other = uuid4().hex, uuid4().hex
    with (
        Listener(service_url, person.token_with(sid=ended)) as first,
        Listener(service_url, person.token_with(sid=other)) as second,
        redis.Redis.from_url(redis_url) as client,
    ):
        publish_revocations(client, {ended: time.time() + 600})
        assert read_close(first.socket) == (4401, "This log-in was ended.")
        send(service, authority, job_event(person, "running"))
        assert second.read()["type"] == "job.updated"
    assert close_after(service_url, json.dumps({"token": person.token_with(sid=ended)})) == 4401


def test_a_connection_that_goes_on_with_a_token_of_another_log_in_ends_with_that_one(
    service_url: str, person: Person, redis_url: str
) -> None:
    first, second = uuid4().hex, uuid4().hex
    with (
        Listener(service_url, person.token_with(sid=first)) as listener,
        redis.Redis.from_url(redis_url) as client,
    ):
        listener.socket.send(json.dumps({"token": person.token_with(sid=second)}))
        publish_revocations(client, {second: time.time() + 600})
        assert read_close(listener.socket)[0] == 4401


def test_a_refused_page_is_a_line_in_the_log_and_no_error(make_settings: Callable[..., Settings]) -> None:
    lines: list[tuple[int, str]] = []

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append((record.levelno, str(record.msg)))

    with serve_app(build(make_settings(log_level="INFO"))) as url:
        logging.getLogger().addHandler(collector := Collector())
        with pytest.raises(InvalidStatus):
            open_socket(url, origin="https://evil.example.org")
    logging.getLogger().removeHandler(collector)
    (refusal,) = [text for _, text in lines if "live_connection_refused" in text]
    assert "https://evil.example.org" in refusal
    assert [text for level, text in lines if level >= logging.WARNING] == []
