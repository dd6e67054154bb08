"""What others are told of people."""

from collections.abc import Iterator
from uuid import uuid4

import httpx
import pytest

from imputehub.local.postgresql import PostgresqlServer
from microservices.contracts.user_service import (
    SECOND_FACTOR_CHANGED,
    SITE_CREDENTIAL_CHANGED,
    SecondFactorChanged,
    SiteCredentialChanged,
)
from microservices.kernel.auth import TokenVerifier
from microservices.kernel.migrations import migrate_database
from microservices.kernel.testing import serve_app
from microservices.user_service.main import build
from tests.kernel.subscribers import Subscriber
from user_service.conftest import make_settings
from user_service.people import register
from user_service.second_factor import prove, switch_on

SECRET = "a very secret site token"


@pytest.fixture
def job_processor() -> Subscriber:
    return Subscriber()


@pytest.fixture
def service(postgresql: PostgresqlServer, redis_url: str, job_processor: Subscriber) -> Iterator[httpx.Client]:
    """notification is away, and holds up nobody."""
    url = postgresql.create_database("users")
    migrate_database("user_service", url)
    with serve_app(job_processor.app) as subscriber_url:
        others = {"job_processor_url": subscriber_url, "notification_url": "http://127.0.0.1:1"}
        with serve_app(build(make_settings(url, redis_url, **others))) as base, httpx.Client(base_url=base) as http:
            yield http


def test_a_changed_site_credential_is_told_without_the_secret(service: httpx.Client, job_processor: Subscriber) -> None:
    person, site = register(service), uuid4()
    path = f"/api/v1/users/me/site-credentials/{site}"
    service.put(path, headers=person.headers, json={"credential": SECRET})
    service.delete(path, headers=person.headers)
    job_processor.wait_until(lambda: len(job_processor.events) == 2)
    told = [SiteCredentialChanged.model_validate(event["data"]) for event in job_processor.events]
    assert [(str(change.owner_id), change.service_id, change.is_set) for change in told] == [
        (person.id, site, True),
        (person.id, site, False),
    ]
    assert {(event["type"], event["source"], event["subject"]) for event in job_processor.events} == {
        (SITE_CREDENTIAL_CHANGED, "user_service", f"site-credential/{person.id}/{site}")
    }
    assert SECRET not in str(job_processor.events)


def test_events_are_brought_with_a_token_that_others_accept(service: httpx.Client, job_processor: Subscriber) -> None:
    person = register(service)
    service.put(f"/api/v1/users/me/site-credentials/{uuid4()}", headers=person.headers, json={"credential": SECRET})
    job_processor.wait_until(lambda: len(job_processor.events) == 1)
    (authorization,) = job_processor.authorizations
    verifier = TokenVerifier(f"{service.base_url}/.well-known/jwks.json")
    caller = verifier.verify(authorization.removeprefix("Bearer "))
    assert (caller.client_id, caller.scopes) == ("user_service", {"events:write"})


def test_a_second_factor_is_told_of_to_its_owner_alone(
    early_in_a_step: None, postgresql: PostgresqlServer, redis_url: str
) -> None:
    url = postgresql.create_database("users")
    migrate_database("user_service", url)
    notification, job_processor = Subscriber(), Subscriber()
    with serve_app(notification.app) as told, serve_app(job_processor.app) as other:
        settings = make_settings(url, redis_url, notification_url=told, job_processor_url=other)
        with serve_app(build(settings)) as base, httpx.Client(base_url=base) as http:
            person = register(http)
            app, _ = switch_on(http, person)
            codes = prove(http, person, "recovery-codes", app.code()).json()["recovery_codes"]
            assert prove(http, person, "disable", codes[0]).status_code == 204
            notification.wait_until(lambda: len(notification.events) == 4)
    changes = [SecondFactorChanged.model_validate(event["data"]) for event in notification.events]
    assert [change.change for change in changes] == ["enabled", "codes_renewed", "recovery_code_used", "disabled"]
    assert [change.recovery_codes_left for change in changes] == [None, None, 9, None]
    assert {str(change.owner_id) for change in changes} == {person.id}
    assert {event["type"] for event in notification.events} == {SECOND_FACTOR_CHANGED}
    assert app.secret not in str(notification.events)
    assert job_processor.events == []
