"""From an event of another service to what its owner is told."""

from typing import Any

import httpx
import pytest

from microservices.kernel.testing import TokenAuthority
from tests.notification.world import Person, job_event, make_event, send


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


def test_what_happens_to_a_second_factor_is_told_to_whose_it_is(
    service: httpx.Client, authority: TokenAuthority, person: Person
) -> None:
    owner = {"owner_id": str(person.user_id), "organization_id": str(person.organization_id)}
    for change, left in (("enabled", None), ("recovery_code_used", 9), ("codes_renewed", None), ("reset", None)):
        data = {**owner, "change": change, "recovery_codes_left": left}
        event = make_event("second_factor.changed", f"second-factor/{person.user_id}", data)
        assert send(service, authority, event).status_code == 204
    told = service.get("/api/v1/notifications", headers=person.headers).json()["items"]
    assert {item["title"] for item in told} == {
        *("The second factor is on", "A recovery code was used", "New recovery codes", "The second factor was reset")
    }
    assert any("9 are unused" in item["message"] for item in told)


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
