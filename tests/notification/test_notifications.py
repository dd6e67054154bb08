"""From an event of another service to what its owner is told."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from pydantic import SecretStr

from imputehub.local.postgresql import PostgresqlServer
from microservices.kernel.migrations import migrate_database
from microservices.kernel.testing import TokenAuthority, serve_app
from microservices.notification.main import build
from microservices.notification.settings import Settings

NOW = "2026-11-22T12:00:00Z"


@pytest.fixture(scope="module")
def service(postgresql: PostgresqlServer, redis_url: str, authority_url: str) -> Iterator[httpx.Client]:
    url = postgresql.create_database()
    migrate_database("notification", url)
    settings = Settings(
        database_url=SecretStr(url),
        client_secret=SecretStr("unused"),
        redis_url=SecretStr(redis_url),
        authority_url=authority_url,
    )
    with serve_app(build(settings)) as address, httpx.Client(base_url=address) as client:
        yield client


class Person:
    def __init__(self, authority: TokenAuthority) -> None:
        self.user_id, self.organization_id = uuid4(), uuid4()
        self.headers = authority.person(user_id=self.user_id, organization_id=self.organization_id)


@pytest.fixture
def person(authority: TokenAuthority) -> Person:
    return Person(authority)


def job_event(person: Person, status: str = "completed", event_id: UUID | None = None) -> dict[str, Any]:
    job_id = uuid4()
    data = {
        "job_id": str(job_id),
        "organization_id": str(person.organization_id),
        "owner_id": str(person.user_id),
        "name": "cohort A",
        "status": status,
        "progress": 100,
        "message": "",
        "occurred_at": NOW,
    }
    return {
        "id": str(event_id or uuid4()),
        "source": "job_processor",
        "type": "job.updated",
        "subject": f"job/{job_id}",
        "time": NOW,
        "dataversion": 1,
        "data": data,
    }


def send(service: httpx.Client, authority: TokenAuthority, event: dict[str, Any]) -> httpx.Response:
    return service.post("/internal/events", json=event, headers=authority.service("job_processor"))


def test_a_finished_job_is_told_to_its_owner_only(
    service: httpx.Client, authority: TokenAuthority, person: Person
) -> None:
    assert send(service, authority, job_event(person)).status_code == 204
    mine = service.get("/api/v1/notifications", headers=person.headers).json()
    theirs = service.get("/api/v1/notifications", headers=Person(authority).headers).json()
    assert [item["title"] for item in mine["items"]] == ["Results are ready"]
    assert "cohort A" in mine["items"][0]["message"]
    assert theirs == {"items": [], "next_cursor": None, "total": 0}


def test_the_same_event_twice_is_told_once(service: httpx.Client, authority: TokenAuthority, person: Person) -> None:
    event = job_event(person)
    assert [send(service, authority, event).status_code for _ in range(2)] == [204, 204]
    assert service.get("/api/v1/notifications", headers=person.headers).json()["total"] == 1


def test_progress_alone_disturbs_nobody(service: httpx.Client, authority: TokenAuthority, person: Person) -> None:
    assert send(service, authority, job_event(person, status="running")).status_code == 204
    assert service.get("/api/v1/notifications", headers=person.headers).json()["total"] == 0


def test_reading_one_and_all(service: httpx.Client, authority: TokenAuthority, person: Person) -> None:
    for status in ("completed", "failed", "cancelled"):
        send(service, authority, job_event(person, status))
    first = service.get("/api/v1/notifications?limit=1", headers=person.headers).json()
    read = service.post(f"/api/v1/notifications/{first['items'][0]['id']}/read", headers=person.headers).json()
    assert read["read_at"] is not None
    unread = service.get("/api/v1/notifications?unread=true", headers=person.headers).json()
    assert unread["total"] == 2
    assert service.post("/api/v1/notifications/read-all", headers=person.headers).json() == {"marked": 2}
    assert service.get("/api/v1/notifications?unread=true", headers=person.headers).json()["total"] == 0


def test_a_strangers_notification_does_not_exist(
    service: httpx.Client, authority: TokenAuthority, person: Person
) -> None:
    send(service, authority, job_event(person))
    item = service.get("/api/v1/notifications", headers=person.headers).json()["items"][0]
    answer = service.post(f"/api/v1/notifications/{item['id']}/read", headers=Person(authority).headers)
    assert (answer.status_code, answer.json()["code"]) == (404, "notification_not_found")


def test_events_come_from_services_with_the_scope_only(
    service: httpx.Client, authority: TokenAuthority, person: Person
) -> None:
    event = job_event(person)
    assert service.post("/internal/events", json=event).status_code == 401
    assert service.post("/internal/events", json=event, headers=person.headers).status_code == 403
    weak = authority.service("job_processor", scope="files:read")
    assert service.post("/internal/events", json=event, headers=weak).status_code == 403


@pytest.mark.parametrize("change", [{"type": "job.exploded"}, {"data": {}}, {"dataversion": 0}])
def test_an_event_that_is_not_as_agreed_is_refused_and_leaves_nothing(
    service: httpx.Client, authority: TokenAuthority, person: Person, change: dict[str, Any]
) -> None:
    event = job_event(person)
    answer = send(service, authority, {**event, **change})
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert send(service, authority, event).status_code == 204
    assert service.get("/api/v1/notifications", headers=person.headers).json()["total"] == 1


def test_an_unknown_query_parameter_is_refused(service: httpx.Client, person: Person) -> None:
    answer = service.get("/api/v1/notifications?colour=red", headers=person.headers)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "colour")
