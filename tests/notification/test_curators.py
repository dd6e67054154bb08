"""Curators are told of a site that is silent for long; of its ordinary ups and downs nobody is notified."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from microservices.kernel.testing import TokenAuthority, serve_app
from microservices.notification.main import build
from microservices.notification.settings import Settings
from tests.notification.world import Listener, Person, health_event, send


@dataclass
class People:
    """What the stub user_service says: who is a curator, unless it is away."""

    curators: list[Person] = field(default_factory=list)
    is_away: bool = False
    asked: list[str] = field(default_factory=list)


def build_user_service(authority: TokenAuthority, people: People) -> FastAPI:
    app = FastAPI()

    @app.get("/.well-known/jwks.json")
    def show_keys() -> dict[str, Any]:
        return {"keys": [authority.jwk]}

    @app.post("/api/v1/auth/token")
    def grant() -> dict[str, Any]:
        token = authority.service("notification", "people:read")["Authorization"].removeprefix("Bearer ")
        return {"access_token": token, "expires_in": 3600}

    @app.get("/internal/people")
    def list_people(role: str, request: Request) -> Response:
        if people.is_away:
            return Response(status_code=503)
        people.asked.append(role)
        assert request.headers["authorization"].startswith("Bearer ")
        ids = [{"user_id": str(p.user_id), "organization_id": str(p.organization_id)} for p in people.curators]
        return JSONResponse(ids)

    return app


@pytest.fixture
def people() -> People:
    return People()


@pytest.fixture
def told(make_settings: Callable[..., Settings], authority: TokenAuthority, people: People) -> Iterator[httpx.Client]:
    with (
        serve_app(build_user_service(authority, people)) as user_service,
        serve_app(build(make_settings(authority_url=user_service))) as url,
        httpx.Client(base_url=url) as client,
    ):
        yield client


def make_step(step: str | None, message: str = "Offline for 23 days.") -> dict[str, Any]:
    event: dict[str, Any] = health_event("unhealthy", "unhealthy", message)
    event["data"]["step"] = step
    return event


def read_notifications(told: httpx.Client, person: Person) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = told.get("/api/v1/notifications", headers=person.headers).json()["items"]
    return items


@pytest.mark.parametrize(
    ("step", "title"),
    [
        ("warned", "A site is about to be switched off"),
        ("deactivated", "A site was switched off"),
        ("reactivated", "A site is back"),
    ],
)
def test_every_curator_is_told_of_each_step(
    told: httpx.Client, authority: TokenAuthority, people: People, step: str, title: str
) -> None:
    people.curators = [Person(authority), Person(authority)]
    stranger, event = Person(authority), make_step(step)
    for _ in range(2):  # the second time it is known already
        assert send(told, authority, event).status_code == 204
    for curator in people.curators:
        [notification] = read_notifications(told, curator)
        assert (notification["title"], notification["message"]) == (title, "'A site': Offline for 23 days.")
        assert notification["data"] == {"service_id": event["data"]["service_id"]}
        assert notification["read_at"] is None
    assert read_notifications(told, stranger) == []
    assert people.asked == ["curator"]
    first, second = people.curators
    assert told.post("/api/v1/notifications/read-all", headers=first.headers).is_success
    assert read_notifications(told, second)[0]["read_at"] is None


def test_an_ordinary_change_is_in_nobodys_notifications(
    told: httpx.Client, authority: TokenAuthority, people: People
) -> None:
    people.curators = [Person(authority)]
    assert send(told, authority, make_step(None)).status_code == 204
    assert read_notifications(told, people.curators[0]) == []
    assert people.asked == []


def test_a_curator_who_looks_is_told_at_once(told: httpx.Client, authority: TokenAuthority, people: People) -> None:
    curator = Person(authority)
    people.curators = [curator]
    with Listener(str(told.base_url), curator.token) as listener:
        send(told, authority, make_step("deactivated"))
        kinds = [event["type"] for event in listener.read_until(2)]
    assert kinds == ["service.health_changed", "notification.created"]


def test_while_nobody_can_say_who_is_a_curator_the_event_is_kept_by_its_producer(
    told: httpx.Client, authority: TokenAuthority, people: People
) -> None:
    people.curators, people.is_away = [Person(authority)], True
    event = make_step("warned")
    assert send(told, authority, event).status_code == 503
    people.is_away = False
    assert send(told, authority, event).status_code == 204
    assert len(read_notifications(told, people.curators[0])) == 1
