"""What is told to people of a role only, and the figures of the moment, of which nobody gets the past."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import create_engine, text

from microservices.kernel.testing import TokenAuthority
from tests.notification.world import Listener, Person, health_event, outage_event, send


@pytest.fixture
def token(person: Person) -> str:
    return person.token_with(roles=["operator"])


def put(service: httpx.Client, authority: TokenAuthority, up: int, **others: Any) -> httpx.Response:
    """Figures that are newer than all before."""
    figures = {"audience": "operator", "measured_at": datetime.now(UTC).isoformat(), "data": {"services_up": up}}
    headers = authority.service("monitoring")
    return service.put("/internal/figures/platform.measured", json=figures | others, headers=headers)


@pytest.fixture(autouse=True)
def no_figures(database_url: str) -> None:
    execute(database_url, "DELETE FROM live_figures")


def execute(url: str, statement: str) -> Any:
    engine = create_engine(url)
    with engine.begin() as connection:
        result = connection.execute(text(statement))
        rows = result.all() if result.returns_rows else None
    engine.dispose()
    return rows


@pytest.mark.parametrize("role", ["operator", "admin"])
def test_operators_and_administrators_are_told_of_our_services_and_nobody_else(
    service: httpx.Client, service_url: str, authority: TokenAuthority, person: Person, role: str
) -> None:
    other = Person(authority)
    with Listener(service_url, person.token_with(roles=[role])) as watching, Listener(service_url, other.token) as not_:
        send(service, authority, outage_event())
        last = health_event("healthy", "unhealthy")
        send(service, authority, last)
        told = read_events(watching, 2)
        assert [event["type"] for event in told] == ["platform.service_changed", "service.health_changed"]
        assert told[0]["data"]["message"] == "nothing answers"
        assert not_.read()["subject"] == last["subject"]


def read_events(listener: Listener, count: int) -> list[dict[str, Any]]:
    """Without figures, of which each who comes may get some."""
    events: list[dict[str, Any]] = []
    while len(events) < count:
        message = json.loads(listener.socket.recv(60))
        events += [message] if "id" in message else []
    return events


def test_an_operator_who_comes_back_is_told_what_was_missed_and_nobody_else(
    service: httpx.Client, service_url: str, authority: TokenAuthority, person: Person, token: str
) -> None:
    with Listener(service_url, token) as listener:
        after = listener.opening["after"]
    send(service, authority, outage_event("django"))
    last = health_event("healthy", "unhealthy")
    send(service, authority, last)
    with Listener(service_url, token, after) as again:
        assert [event["subject"] for event in read_events(again, 2)] == ["platform/django", last["subject"]]
    with Listener(service_url, person.token, after) as as_researcher:
        assert as_researcher.read()["subject"] == last["subject"]


def test_figures_are_told_to_operators_who_are_there_and_to_those_who_come(
    service: httpx.Client, service_url: str, authority: TokenAuthority, person: Person, token: str
) -> None:
    other = Person(authority)
    with Listener(service_url, token) as listener, Listener(service_url, other.token) as researcher:
        assert put(service, authority, 8).status_code == 204
        message = json.loads(listener.socket.recv(60))
        assert (message["type"], message["data"], "id" in message) == ("platform.measured", {"services_up": 8}, False)
        with Listener(service_url, token) as late:
            assert json.loads(late.socket.recv(60)) == message
        last = health_event("healthy", "unhealthy")
        send(service, authority, last)
        assert researcher.read()["subject"] == last["subject"]


def test_figures_fill_no_log_and_older_ones_do_not_come_back(
    service: httpx.Client, service_url: str, authority: TokenAuthority, token: str, database_url: str
) -> None:
    before = execute(database_url, "SELECT last_id FROM live_log")
    for up in (6, 7, 8):
        put(service, authority, up)
    put(service, authority, 1, measured_at=(datetime.now(UTC) - timedelta(minutes=1)).isoformat())
    assert execute(database_url, "SELECT last_id FROM live_log") == before
    assert execute(database_url, "SELECT count(*) FROM live_figures") == [(1,)]
    assert execute(database_url, "SELECT data ->> 'services_up' FROM live_figures") == [("8",)]


def test_figures_are_taken_from_services_only(service: httpx.Client, authority: TokenAuthority, person: Person) -> None:
    path = "/internal/figures/platform.measured"
    assert service.put(path, json={}, headers=person.headers).status_code == 403
    assert put(service, authority, 8, audience="everybody").status_code == 400
    assert service.put("/internal/figures/NO", json={}, headers=authority.service("monitoring")).status_code == 400
