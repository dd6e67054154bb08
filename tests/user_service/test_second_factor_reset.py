"""Administrators find accounts, and help whoever has lost app and recovery codes."""

import json
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import Engine, text

from microservices.user_service.bootstrap import bootstrap_accounts
from microservices.user_service.settings import Settings
from user_service.people import PASSWORD, Person, log_in, refresh, register
from user_service.second_factor import outcome, switch_on
from user_service.test_audit import read_log

pytestmark = pytest.mark.usefixtures("early_in_a_step")

PEOPLE = "/api/v1/users"


@pytest.fixture
def admin(http: httpx.Client, engine: Engine) -> Person:
    account = register(http, full_name="Root 100% Example")
    with engine.begin() as connection:
        grant = "INSERT INTO user_roles (user_id, role) VALUES (:user, 'admin')"
        connection.execute(text(grant), {"user": account.id})
    return Person(account.id, account.email, log_in(http, account.email).json())


def test_an_administrator_resets_somebodys_second_factor(
    http: httpx.Client, admin: Person, person: Person, engine: Engine
) -> None:
    switch_on(http, person)
    path = f"{PEOPLE}/{person.id}/mfa"
    assert http.delete(path, headers=admin.headers).status_code == 204
    assert refresh(http, person.tokens["refresh_token"]).status_code == 400, "all log-ins have ended"
    assert log_in(http, person.email).status_code == 200
    reset = next(row for row in read_log(engine, person.id) if row["action"] == "mfa_reset")
    assert reset["actor"] == admin.id
    with engine.connect() as connection:
        told = text("SELECT data ->> 'change' FROM outbox WHERE subject = :subject ORDER BY id")
        assert connection.scalars(told, {"subject": f"second-factor/{person.id}"}).all() == ["enabled", "reset"]
    assert outcome(http.delete(path, headers=admin.headers)) == (409, "mfa_disabled")


def test_nobody_else_resets_one_and_nobody_their_own_without_a_proof(
    http: httpx.Client, admin: Person, person: Person
) -> None:
    switch_on(http, admin)
    assert outcome(http.delete(f"{PEOPLE}/{admin.id}/mfa", headers=person.headers)) == (403, "forbidden")
    assert outcome(http.delete(f"{PEOPLE}/{admin.id}/mfa", headers=admin.headers)) == (403, "forbidden")
    assert outcome(log_in(http, admin.email)) == (400, "otp_required")
    assert outcome(http.delete(f"{PEOPLE}/{uuid4()}/mfa", headers=admin.headers)) == (404, "user_not_found")


def test_administrators_find_accounts_by_a_part_of_address_or_name(
    http: httpx.Client, admin: Person, person: Person
) -> None:
    switch_on(http, person)

    def find(part: str) -> list[str]:
        answer = http.get(PEOPLE, params={"q": part, "sort": "email"}, headers=admin.headers)
        assert answer.status_code == 200, answer.text
        return [found["email"] for found in answer.json()["items"]]

    assert find(person.email[:10].upper()) == [person.email]
    assert admin.email in find("root 100%")
    assert find("100%x") == []
    (found,) = http.get(PEOPLE, params={"q": person.email}, headers=admin.headers).json()["items"]
    assert (found["id"], found["mfa_enabled"]) == (person.id, True)
    first = http.get(PEOPLE, params={"limit": 1}, headers=admin.headers).json()
    assert (len(first["items"]), first["next_cursor"] is not None) == (1, True)


def test_others_do_not_see_who_has_an_account(http: httpx.Client, person: Person, admin: Person) -> None:
    assert outcome(http.get(PEOPLE, headers=person.headers)) == (403, "forbidden")
    assert outcome(http.get(PEOPLE, params={"q": "a\x00b"}, headers=admin.headers)) == (400, "invalid_input")


def test_whoever_runs_the_platform_can_reset_the_last_administrators(
    http: httpx.Client, person: Person, settings: Settings
) -> None:
    switch_on(http, person)
    account = {"email": person.email, "password": PASSWORD, "full_name": "Ada Example"}
    assert bootstrap_accounts(settings, json.dumps([account])) == 0
    assert outcome(log_in(http, person.email)) == (400, "otp_required")
    reset = json.dumps([account | {"reset_mfa": True}])
    assert [bootstrap_accounts(settings, reset) for _ in range(2)] == [1, 0]
    assert log_in(http, person.email).status_code == 200
