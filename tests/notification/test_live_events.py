"""What people are told as it happens: to whom, in which order, and completely."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import create_engine, text

from imputehub.local.postgresql import PostgresqlServer
from microservices.kernel.db import Database
from microservices.kernel.migrations import migrate_database
from microservices.kernel.testing import TokenAuthority, serve_app
from microservices.notification.main import build
from microservices.notification.queries import forget_live_events
from microservices.notification.settings import Settings
from tests.notification.world import NOW, Listener, Person, health_event, job_event, make_event, run_together, send


def execute(url: str, statement: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()


def test_an_event_reaches_its_owner_as_it_happens(
    service: httpx.Client, service_url: str, authority: TokenAuthority, person: Person
) -> None:
    with Listener(service_url, person.token) as listener:
        assert listener.opening["type"] == "stream.opened"
        event = job_event(person, "running")
        send(service, authority, event)
        told = listener.read()
    data = {name: value for name, value in event["data"].items() if name not in ("owner_id", "organization_id")}
    assert told == {"id": told["id"], "type": "job.updated", "subject": event["subject"], "time": NOW, "data": data}


def test_a_notification_is_told_after_what_it_is_about(
    service: httpx.Client, service_url: str, authority: TokenAuthority, person: Person
) -> None:
    with Listener(service_url, person.token) as listener:
        send(service, authority, job_event(person, "completed"))
        first, second = listener.read_until(2)
    assert [first["type"], second["type"]] == ["job.updated", "notification.created"]
    assert second["data"] == service.get("/api/v1/notifications", headers=person.headers).json()["items"][0]


def test_runs_and_files_are_told_too(
    service: httpx.Client, service_url: str, authority: TokenAuthority, person: Person
) -> None:
    owner = {"organization_id": str(person.organization_id), "owner_id": str(person.user_id)}
    run = {
        "job_id": str(uuid4()),
        "run_id": str(uuid4()),
        "service_id": str(uuid4()),
        "status": "running",
        "progress": 40.5,
        "message": "Phasing",
        "occurred_at": NOW,
    }
    file = {"file_id": str(uuid4()), "filename": "a.vcf.gz", "status": "ready", "verdict": "pass"}
    with Listener(service_url, person.token) as listener:
        send(service, authority, make_event("run.updated", "job/1", run | owner))
        send(service, authority, make_event("file.checked", "file/1", file | owner))
        told = listener.read_until(2)
    assert [(event["type"], event["data"]) for event in told] == [("run.updated", run), ("file.checked", file)]


def test_nobody_is_told_what_is_somebody_elses(
    service: httpx.Client, service_url: str, authority: TokenAuthority, person: Person
) -> None:
    colleague, impostor, stranger = Person(authority), Person(authority), Person(authority)
    colleague.organization_id, impostor.user_id = person.organization_id, person.user_id
    others = [Listener(service_url, other.short_token(60)) for other in (colleague, impostor, stranger)]
    with Listener(service_url, person.token) as listener:
        send(service, authority, job_event(person, "running"))
        last = health_event("healthy", "unhealthy")
        send(service, authority, last)
        assert [event["type"] for event in listener.read_until(2)] == ["job.updated", "service.health_changed"]
        start = listener.opening["after"]
    for other in others:
        assert other.read()["subject"] == last["subject"]
        other.socket.close()
    with Listener(service_url, stranger.token, start) as again:
        assert again.read()["subject"] == last["subject"]


def test_a_changed_site_is_told_to_everybody_and_disturbs_nobody(
    service: httpx.Client, service_url: str, authority: TokenAuthority, person: Person
) -> None:
    site_id = str(uuid4())
    change = {"service_id": site_id, "name": "A site", "is_deleted": False}
    with Listener(service_url, person.token) as listener:
        assert send(service, authority, make_event("service.changed", f"site/{site_id}", change)).status_code == 204
        told = listener.read()
    assert (told["type"], told["data"]) == ("service.changed", change)
    assert service.get("/api/v1/notifications", headers=person.headers).json()["total"] == 0


def test_a_site_that_has_just_arrived_is_told_and_disturbs_nobody(
    service: httpx.Client, service_url: str, authority: TokenAuthority, person: Person
) -> None:
    with Listener(service_url, person.token) as listener:
        arrival = health_event("unknown", "healthy")
        send(service, authority, arrival)
        assert listener.read()["subject"] == arrival["subject"]
    assert service.get("/api/v1/notifications", headers=person.headers).json()["total"] == 0


def test_after_a_reconnect_only_what_was_missed_is_told(
    service: httpx.Client, service_url: str, authority: TokenAuthority, person: Person
) -> None:
    with Listener(service_url, person.token) as listener:
        send(service, authority, job_event(person, "running", name="first"))
        after = listener.read()["id"]
    for name in ("second", "third"):
        send(service, authority, job_event(person, "running", name=name))
    with Listener(service_url, person.token, after) as listener:
        assert listener.opening == {"type": "stream.opened", "after": after}
        send(service, authority, job_event(person, "running", name="fourth"))
        assert [event["data"]["name"] for event in listener.read_until(3)] == ["second", "third", "fourth"]


def test_a_client_that_was_told_nothing_yet_can_come_back_too(
    service: httpx.Client, service_url: str, authority: TokenAuthority, person: Person
) -> None:
    with Listener(service_url, person.token) as listener:
        after = listener.opening["after"]
    event = job_event(person, "running")
    send(service, authority, event)
    with Listener(service_url, person.token, after) as listener:
        assert listener.read()["subject"] == event["subject"]


def test_nothing_is_missed_or_told_twice_while_many_write_and_clients_come_and_go(
    make_settings: Callable[..., Settings], service_url: str, authority: TokenAuthority, person: Person
) -> None:
    """Two processes' worth of writers, and a client that leaves after every few events."""
    total, writers = 120, 6
    told: list[dict[str, Any]] = []
    with serve_app(build(make_settings())) as other_url, Listener(service_url, person.token) as steady:

        def write(number: int) -> None:
            url = (service_url, other_url)[number % 2]
            with httpx.Client(base_url=url, timeout=60) as client:
                for n in range(total // writers):
                    answer = send(client, authority, job_event(person, "running", name=f"{number}.{n}"))
                    assert answer.status_code == 204

        start = steady.opening["after"]
        writing = threading.Thread(target=run_together, args=([lambda n=n: write(n) for n in range(writers)],))
        writing.start()
        while len(told) < total:
            with Listener((service_url, other_url)[len(told) % 2], person.token, start) as visitor:
                told += visitor.read_until(min(7, total - len(told)))
                start = visitor.after
        writing.join()
        steadily = steady.read_until(total)
    assert len({event["data"]["name"] for event in told}) == total
    assert [event["id"] for event in told] == [event["id"] for event in steadily]
    assert [event["id"] for event in told] == sorted({event["id"] for event in told})


def test_an_event_that_is_refused_leaves_no_trace(
    service: httpx.Client, service_url: str, authority: TokenAuthority, person: Person
) -> None:
    event = job_event(person, "running")
    with Listener(service_url, person.token) as listener:
        assert send(service, authority, {**event, "data": {}}).status_code == 400
        run_together([lambda: send(service, authority, event)] * 3)
        send(service, authority, job_event(person, "running", name="next"))
        assert [told["data"]["name"] for told in listener.read_until(2)] == ["cohort A", "next"]


@pytest.mark.parametrize("after", ["nonsense", "00000000-000000000000001", "same-log-too-new"])
def test_an_unknown_after_says_that_everything_is_to_be_read_anew(
    service: httpx.Client, service_url: str, authority: TokenAuthority, person: Person, after: str
) -> None:
    if after == "same-log-too-new":
        with Listener(service_url, person.token) as listener:
            after = listener.opening["after"][:9] + "999999999999999"
    with Listener(service_url, person.token, after) as listener:
        assert listener.opening["type"] == "stream.reset"
        send(service, authority, job_event(person, "running"))
        assert listener.read()["type"] == "job.updated"


def test_what_is_forgotten_is_said_to_be(
    service: httpx.Client, service_url: str, database_url: str, authority: TokenAuthority, person: Person
) -> None:
    with Listener(service_url, person.token) as listener:
        for name in ("first", "second", "third"):
            send(service, authority, job_event(person, "running", name=name))
        first, second, third = (event["id"] for event in listener.read_until(3))
    number = int(second.split("-")[1])
    execute(database_url, f"UPDATE live_events SET recorded_at = '2001-01-01' WHERE id <= {number}")
    database = Database(database_url)
    with database.transaction() as session:
        assert forget_live_events(session, datetime.now(UTC) - timedelta(days=7)) >= 2
    database.dispose()
    with Listener(service_url, person.token, first) as listener:
        assert listener.opening["type"] == "stream.reset"
    with Listener(service_url, person.token, second) as listener:
        assert listener.read()["id"] == third


def test_the_channel_survives_a_restart_of_postgresql(
    postgresql: PostgresqlServer, make_settings: Callable[..., Settings], authority: TokenAuthority, person: Person
) -> None:
    url = postgresql.create_database()
    migrate_database("notification", url)
    name = url.rsplit("/", 1)[1]
    app = build(make_settings(database_url=url))
    with (
        serve_app(app) as address,
        httpx.Client(base_url=address, timeout=60) as client,
        Listener(address, person.token) as listener,
    ):
        send(client, authority, job_event(person, "running", name="before"))
        listener.read()
        execute(
            url,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            f"WHERE datname = '{name}' AND pid <> pg_backend_pid()",
        )
        assert send(client, authority, job_event(person, "running", name="after")).status_code == 204
        assert listener.read()["data"]["name"] == "after"
