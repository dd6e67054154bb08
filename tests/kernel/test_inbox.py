"""Events arrive: each is applied once, and what is old is dropped."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from microservices.kernel.app import create_app
from microservices.kernel.db import Database
from microservices.kernel.events import Event
from microservices.kernel.inbox import advance_version, events_router
from microservices.kernel.outbox import Relay, record_event
from microservices.kernel.settings import ServiceSettings
from microservices.kernel.testing import TokenAuthority, serve_app


def note(session: Session, event: Event) -> None:
    """What a real handler does: drop what is older than what we have, and write the rest."""
    if not advance_version(session, event):
        return
    session.execute(text("INSERT INTO notes VALUES (:version)"), {"version": event.dataversion})
    if event.data.get("fail"):
        raise RuntimeError("a bug in the handler")


def count(session: Session, event: Event) -> None:
    """A handler for facts without versions: only the inbox keeps it from counting twice."""
    session.execute(text("INSERT INTO notes VALUES (:version)"), {"version": event.dataversion})


@pytest.fixture
def base_url(settings: ServiceSettings, database: Database) -> Iterator[str]:
    with database.transaction() as session:
        session.execute(text("CREATE TABLE notes (version int)"))
    with serve_app(
        create_app("notes", settings, [events_router({"thing.changed": note, "thing.counted": count})])
    ) as url:
        yield url


@pytest.fixture
def http(base_url: str, authority: TokenAuthority) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=base_url, headers=authority.service("producer")) as http:
        yield http


def make_event(version: int = 1, **others: Any) -> dict[str, Any]:
    event = {"id": str(uuid4()), "source": "tests", "type": "thing.changed", "subject": "thing/1"}
    return event | {"time": "2026-01-01T00:00:00Z", "dataversion": version, "data": {}} | others


def send(http: httpx.Client, event: dict[str, Any]) -> int:
    return http.post("/internal/events", json=event).status_code


def read_notes(database: Database) -> list[int]:
    with database.transaction() as session:
        return list(session.execute(text("SELECT version FROM notes ORDER BY version")).scalars())


@pytest.mark.parametrize("type_", ["thing.changed", "thing.counted"])
def test_an_event_that_comes_again_is_taken_and_changes_nothing(
    http: httpx.Client, database: Database, type_: str
) -> None:
    event = make_event(type=type_)
    assert [send(http, event) for _ in range(3)] == [204] * 3
    assert read_notes(database) == [1]


def test_an_event_that_comes_several_times_at_once_is_applied_once(http: httpx.Client, database: Database) -> None:
    event = make_event(type="thing.counted")
    with ThreadPoolExecutor(5) as threads:
        assert set(threads.map(lambda _: send(http, event), range(5))) == {204}
    assert read_notes(database) == [1]


def test_what_is_older_than_what_we_have_is_dropped(http: httpx.Client, database: Database) -> None:
    assert [send(http, make_event(version)) for version in (3, 2, 3, 4)] == [204] * 4
    assert read_notes(database) == [3, 4]


def test_versions_are_of_one_subject_of_one_source(http: httpx.Client, database: Database) -> None:
    for others in ({}, {"subject": "thing/2"}, {"source": "others"}):
        send(http, make_event(1, **others))
    assert read_notes(database) == [1, 1, 1]


def test_a_handler_that_fails_leaves_no_trace_and_the_event_may_come_again(
    http: httpx.Client, database: Database
) -> None:
    event = make_event(data={"fail": True})
    assert send(http, event) == 500
    assert read_notes(database) == []
    assert send(http, event | {"data": {}}) == 204
    assert read_notes(database) == [1]


def test_a_type_that_nobody_handles_is_refused_so_that_somebody_sees_it(http: httpx.Client) -> None:
    answer = http.post("/internal/events", json=make_event(type="thing.sung"))
    assert (answer.status_code, answer.json()["code"]) == (400, "unknown_event_type")


@pytest.mark.parametrize(
    "change",
    [
        *({"id": "x"}, {"dataversion": 0}, {"data": []}, {"time": "soon"}, {"subject": None}, {"dataversion": 2**63}),
        *({"source": "a\x00b"}, {"subject": "a\x00b"}, {"subject": ""}),
    ],
    ids=ascii,
)
def test_what_is_no_event_is_refused(http: httpx.Client, change: dict[str, Any]) -> None:
    assert send(http, make_event(**change)) == 400


def test_only_services_that_may_write_events_are_heard(
    base_url: str, authority: TokenAuthority, database: Database
) -> None:
    callers = [{}, authority.person(["admin"]), authority.service("producer", "files:read")]
    answers = [httpx.post(f"{base_url}/internal/events", json=make_event(), headers=caller) for caller in callers]
    assert [answer.status_code for answer in answers] == [401, 403, 403]
    assert read_notes(database) == []


def test_a_relay_that_died_between_delivery_and_commit_does_no_harm(
    base_url: str, authority: TokenAuthority, database: Database
) -> None:
    token = authority.service("producer")["Authorization"].removeprefix("Bearer ")
    relay = Relay("tests", database, {"notes": base_url}, lambda: token)
    with database.transaction() as session:
        record_event(session, type="thing.changed", subject="thing/1", data={}, subscribers=("notes",))
    assert relay.deliver_due() == 1
    with database.transaction() as session:
        session.execute(text("UPDATE outbox SET delivered_at = NULL"))
    assert relay.deliver_due() == 1
    relay.close()
    assert read_notes(database) == [1]
