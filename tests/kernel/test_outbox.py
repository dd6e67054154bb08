"""Events leave the house: all of them, in order per subject, again and again until they are taken."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import groupby
from threading import Barrier
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from sqlalchemy import select

from imputehub.local.children import find_free_port
from kernel.subscribers import Subscriber
from microservices.kernel.db import Database
from microservices.kernel.errors import DependencyUnavailableError
from microservices.kernel.outbox import NewEvent, Relay, outbox, record_event, record_events, relaying
from microservices.kernel.testing import serve_app


@pytest.fixture
def subscriber() -> Subscriber:
    return Subscriber()


@pytest.fixture
def url(subscriber: Subscriber) -> Iterator[str]:
    with serve_app(subscriber.app) as url:
        yield url


@pytest.fixture
def relay(database: Database, url: str) -> Iterator[Relay]:
    relay = make_relay(database, here=url)
    yield relay
    relay.close()


def make_relay(database: Database, **subscribers: str) -> Relay:
    return Relay("tests", database, subscribers, lambda: "a service token")


def record(database: Database, subject: str, subscribers: tuple[str, ...] = ("here",), **data: Any) -> None:
    with database.transaction() as session:
        record_event(session, type="thing.changed", subject=subject, data=data, subscribers=subscribers)


def read_rows(database: Database, subject: str) -> list[Any]:
    with database.transaction() as session:
        return list(session.execute(select(outbox).where(outbox.c.subject == subject).order_by(outbox.c.id)))


def deliver_at(relay: Relay, seconds: float) -> int:
    """Deliver what is due `seconds` from now."""
    with time_machine.travel(timedelta(seconds=seconds)):
        return relay.deliver_due()


def test_many_events_at_once_count_on_each_of_their_subjects(database: Database) -> None:
    subjects = [f"thing/{uuid4()}" for _ in range(300)]
    record(database, subjects[0])
    with database.transaction() as session:
        events = [NewEvent("thing.changed", subject, {"number": number}) for number, subject in enumerate(subjects)]
        record_events(session, events, subscribers=["here", "there"])
        record_events(session, [], subscribers=["here"])
    assert [(row.subscriber, row.dataversion) for row in read_rows(database, subjects[0])] == [
        ("here", 1),
        ("here", 2),
        ("there", 2),
    ]
    assert {(row.dataversion, row.data["number"]) for row in read_rows(database, subjects[299])} == {(1, 299)}


def test_an_event_is_a_cloudevent_with_the_version_of_its_subject(
    database: Database, relay: Relay, subscriber: Subscriber
) -> None:
    thing_id, moment = uuid4(), datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    record(database, "thing/1", id=thing_id, at=moment)
    assert relay.deliver_due() == 1
    (event,) = subscriber.events
    assert event["data"] == {"id": str(thing_id), "at": "2026-01-02T03:04:05Z"}
    fixed = {"specversion": "1.0", "source": "tests", "type": "thing.changed", "subject": "thing/1", "dataversion": 1}
    assert fixed.items() <= event.items()
    assert event["time"].endswith("Z")
    assert subscriber.authorizations == {"Bearer a service token"}


def test_a_change_that_is_taken_back_tells_nobody(database: Database, relay: Relay, subscriber: Subscriber) -> None:
    with database.transaction() as session:
        record_event(session, type="thing.changed", subject="thing/1", data={}, subscribers=("here",))
        session.rollback()
    assert relay.deliver_due() == 0
    record(database, "thing/1")
    relay.deliver_due()
    assert subscriber.delivered == [("thing/1", 1)]


def test_every_subscriber_gets_the_events_of_a_subject_in_order(
    database: Database, relay: Relay, subscriber: Subscriber
) -> None:
    for number in range(6):
        record(database, f"thing/{number % 2}")
    assert relay.deliver_due() == 6
    for subject, versions in groupby(sorted(subscriber.delivered), key=lambda pair: pair[0]):
        assert [version for _, version in versions] == [1, 2, 3], subject
    assert [version for subject, version in subscriber.delivered if subject == "thing/0"] == [1, 2, 3]
    assert relay.deliver_due() == 0


@pytest.mark.parametrize("status", [400, 404, 409, 422])
def test_a_refusal_parks_its_subject_and_no_other(
    database: Database, relay: Relay, subscriber: Subscriber, status: int
) -> None:
    subscriber.answers["bad"] = [status]
    for subject in ("bad", "good", "bad", "good"):
        record(database, subject)
    assert relay.deliver_due() == 2
    assert deliver_at(relay, 7200) == 0
    assert subscriber.delivered == [("good", 1), ("good", 2)]
    first, second = read_rows(database, "bad")
    assert first.parked_at is not None
    assert first.error.startswith(str(status))
    assert (second.attempts, second.parked_at) == (0, None)


@pytest.mark.parametrize("status", [401, 408, 429, 500, 502, 503])
def test_what_may_pass_is_tried_again(database: Database, relay: Relay, subscriber: Subscriber, status: int) -> None:
    subscriber.answers["thing"] = [status]
    record(database, "thing")
    record(database, "thing")
    assert relay.deliver_due() == 0
    assert subscriber.refused == ["thing"], "the second must wait for the first"
    assert deliver_at(relay, 2) == 2
    assert subscriber.delivered == [("thing", 1), ("thing", 2)]
    assert [(row.error, row.parked_at) for row in read_rows(database, "thing")] == [(None, None)] * 2


def test_the_pause_doubles_up_to_an_hour(database: Database, relay: Relay, subscriber: Subscriber) -> None:
    subscriber.answers["thing"] = [503] * 20
    record(database, "thing")
    pauses = []
    moment = datetime.now(UTC) + timedelta(seconds=5)
    for _ in range(14):
        with time_machine.travel(moment, tick=False):
            assert relay.deliver_due() == 0
            (row,) = read_rows(database, "thing")
            pauses.append((row.next_attempt_at - moment).total_seconds())
        moment = row.next_attempt_at
    assert pauses == [*(2**n for n in range(12)), 3600, 3600]
    assert len(subscriber.refused) == 14


def test_a_subscriber_that_is_away_does_not_hold_up_another(
    database: Database, url: str, subscriber: Subscriber
) -> None:
    relay = make_relay(database, here=url, away=f"http://127.0.0.1:{find_free_port()}")
    for _ in range(2):
        record(database, "thing", ("away", "here", "nobody knows this one"))
    assert relay.deliver_due() == 2
    assert subscriber.delivered == [("thing", 1), ("thing", 2)]
    relay.close()
    relay = make_relay(database, here=url, away=url)
    assert deliver_at(relay, 2) == 2
    assert len(subscriber.delivered) == 4
    relay.close()


def test_without_a_token_events_wait(database: Database, url: str, subscriber: Subscriber) -> None:
    def fail() -> str:
        raise DependencyUnavailableError("nobody is there")

    relay = Relay("tests", database, {"here": url}, fail)
    record(database, "thing")
    assert relay.deliver_due() == 0
    (row,) = read_rows(database, "thing")
    assert (row.attempts, row.parked_at) == (1, None)
    relay.close()


def test_two_relays_at_once_deliver_each_event_once_and_in_order(
    database: Database, url: str, subscriber: Subscriber
) -> None:
    for number in range(60):
        record(database, f"thing/{number % 5}")
    both_have_one = Barrier(2)

    def make_one() -> Relay:
        """It asks for its token with a row in its hands; at first it then waits for the other."""
        waits = iter([both_have_one.wait])
        return Relay("tests", database, {"here": url}, lambda: str(next(waits, lambda _timeout: 0)(60)))

    relays = [make_one(), make_one()]
    with ThreadPoolExecutor(2) as threads:
        delivered = list(threads.map(lambda relay: relay.deliver_due(), relays))
    assert sum(delivered) == 60
    assert min(delivered) > 0, "only one of them did anything"
    for number in range(5):
        versions = [version for subject, version in subscriber.delivered if subject == f"thing/{number}"]
        assert versions == list(range(1, 13))
    for relay in relays:
        relay.close()


def test_changes_of_one_subject_at_once_get_different_versions(database: Database) -> None:
    with ThreadPoolExecutor(5) as threads:
        list(threads.map(lambda _: record(database, "thing"), range(20)))
    assert [row.dataversion for row in read_rows(database, "thing")] == list(range(1, 21))


def test_a_running_relay_delivers_at_once_after_the_commit(
    database: Database, relay: Relay, subscriber: Subscriber, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("microservices.kernel.outbox._IDLE_S", 600)  # its next round comes too late
    with relaying(database, relay):
        record(database, "first")
        subscriber.wait_until(lambda: len(subscriber.events) == 1)
        record(database, "second")
        subscriber.wait_until(lambda: len(subscriber.events) == 2)
    assert [subject for subject, _ in subscriber.delivered] == ["first", "second"]


def test_what_was_recorded_while_no_relay_ran_is_delivered_when_one_starts(
    database: Database, relay: Relay, subscriber: Subscriber
) -> None:
    record(database, "thing")
    assert subscriber.delivered == []
    with relaying(database, relay):
        subscriber.wait_until(lambda: len(subscriber.events) == 1)
    assert subscriber.delivered == [("thing", 1)]


def test_delivered_events_are_kept_for_a_week(database: Database, relay: Relay, subscriber: Subscriber) -> None:
    subscriber.answers["parked"] = [400]
    for subject in ("thing", "parked"):
        record(database, subject)
    relay.deliver_due()
    relay.prune_delivered()
    assert len(read_rows(database, "thing")) == 1
    with time_machine.travel(timedelta(days=8)):
        relay.prune_delivered()
    assert (len(read_rows(database, "thing")), len(read_rows(database, "parked"))) == (0, 1)
