import base64
import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import httpx
import pytest
import time_machine
from sqlalchemy import Engine, text

from microservices.kernel.auth import TokenVerifier
from user_service.people import PASSWORD, Person, log_in, new_email, refresh

TOKEN = "/api/v1/auth/token"
ME = "/api/v1/users/me"


def read_claims(token: str) -> dict[str, Any]:
    payload = token.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims


def test_the_right_password_gives_a_token_that_every_service_can_verify(
    http: httpx.Client, person: Person, base_url: str
) -> None:
    assert person.tokens["token_type"] == "bearer"
    assert person.tokens["expires_in"] == 600
    claims = read_claims(person.tokens["access_token"])
    assert claims["exp"] - claims["iat"] == 600
    assert {"iss", "aud", "sub", "sid", "jti", "org", "roles", "tier"} <= set(claims)
    caller = TokenVerifier(f"{base_url}/.well-known/jwks.json").verify(person.tokens["access_token"])
    assert str(caller.user_id) == person.id
    assert (caller.roles, caller.tier, caller.scopes) == (frozenset({"researcher"}), "development", frozenset())
    assert str(caller.organization_id) == http.get(ME, headers=person.headers).json()["organization"]["id"]


def test_tokens_are_never_to_be_cached(http: httpx.Client, person: Person) -> None:
    assert log_in(http, person.email).headers["cache-control"] == "no-store"


@pytest.mark.parametrize("who", ["known", "unknown", "no address"])
def test_a_wrong_log_in_does_not_tell_whether_the_account_exists(http: httpx.Client, person: Person, who: str) -> None:
    email = {"known": person.email, "unknown": new_email(), "no address": "nobody\x00"}[who]
    answer = log_in(http, email, "a wrong password")
    assert answer.status_code == 400
    problem = answer.json()
    assert (problem["code"], problem["error"]) == ("invalid_grant", "invalid_grant")
    assert problem["detail"] == "The e-mail address or the password is wrong."


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"grant_type": "implicit"}, "unsupported_grant_type"),
        ({"grant_type": "password", "username": "x@example.org"}, "invalid_request"),
        ({"grant_type": "password", "password": "x"}, "invalid_request"),
        ({"grant_type": "refresh_token"}, "invalid_request"),
        ({"grant_type": "client_credentials"}, "invalid_request"),
        ({"grant_type": "refresh_token", "refresh_token": "made up"}, "invalid_grant"),
        ({}, "invalid_input"),
    ],
)
def test_a_form_that_is_no_grant_is_refused_by_name(http: httpx.Client, form: dict[str, str], code: str) -> None:
    answer = http.post(TOKEN, data=form)
    assert (answer.status_code, answer.json()["code"]) == (400, code)


def test_parameters_that_are_not_known_are_ignored(http: httpx.Client, person: Person) -> None:
    form = {"grant_type": "password", "username": person.email, "password": "correct horse battery", "scope": "x"}
    assert http.post(TOKEN, data=form).status_code == 200


def test_a_refresh_token_gives_the_next_of_the_same_log_in(http: httpx.Client, person: Person) -> None:
    second = refresh(http, person.tokens["refresh_token"])
    assert second.status_code == 200
    third = refresh(http, second.json()["refresh_token"])
    assert third.status_code == 200
    of_same_log_in = {read_claims(tokens["access_token"])["sid"] for tokens in (person.tokens, third.json())}
    assert len(of_same_log_in) == 1


def test_a_refresh_token_whose_answer_was_lost_gives_the_same_successor_for_a_moment(
    http: httpx.Client, person: Person
) -> None:
    lost = refresh(http, person.tokens["refresh_token"]).json()
    again = refresh(http, person.tokens["refresh_token"])
    assert again.status_code == 200
    assert again.json()["refresh_token"] == lost["refresh_token"]
    headers = {"Authorization": f"Bearer {again.json()['access_token']}"}
    assert http.get(ME, headers=headers).status_code == 200
    assert refresh(http, again.json()["refresh_token"]).status_code == 200


def test_a_refresh_token_that_comes_again_later_ends_its_log_in_and_no_other(
    http: httpx.Client, person: Person
) -> None:
    other = log_in(http, person.email).json()["refresh_token"]
    newest = refresh(http, person.tokens["refresh_token"]).json()["refresh_token"]
    with time_machine.travel(timedelta(seconds=11)):
        again = refresh(http, person.tokens["refresh_token"])
    assert (again.status_code, again.json()["code"]) == (400, "invalid_grant")
    assert "used before" in again.json()["detail"]
    assert refresh(http, newest).status_code == 400
    assert refresh(http, other).status_code == 200


def test_a_refresh_token_that_comes_again_behind_its_used_successor_ends_its_log_in(
    http: httpx.Client, person: Person
) -> None:
    second = refresh(http, person.tokens["refresh_token"]).json()["refresh_token"]
    newest = refresh(http, second).json()["refresh_token"]
    assert refresh(http, person.tokens["refresh_token"]).status_code == 400
    assert refresh(http, newest).status_code == 400


def test_a_refresh_token_gives_nothing_again_once_its_person_has_logged_out(http: httpx.Client, person: Person) -> None:
    refresh(http, person.tokens["refresh_token"])
    assert http.post("/api/v1/auth/logout", headers=person.headers).status_code == 204
    assert refresh(http, person.tokens["refresh_token"]).status_code == 400


def test_uses_of_one_log_in_wait_for_one_another(http: httpx.Client, person: Person, engine: Engine) -> None:
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    with ThreadPoolExecutor(2) as threads, engine.connect() as holder, engine.connect() as observer:
        observer.execution_options(isolation_level="AUTOCOMMIT")
        sid = read_claims(person.tokens["access_token"])["sid"]
        holder.execute(text("SELECT FROM login_sessions WHERE id = :id FOR UPDATE"), {"id": sid})
        uses = [threads.submit(refresh, http, person.tokens["refresh_token"]) for _ in range(2)]
        deadline = time.monotonic() + 60
        while observer.scalar(waiting) != 2:
            assert time.monotonic() < deadline, "a refresh did not wait for the other"
        holder.rollback()
        assert [use.result().status_code for use in uses] == [200, 200]
        assert len({use.result().json()["refresh_token"] for use in uses}) == 1


def test_tabs_that_renew_their_token_at_once_all_stay_logged_in(http: httpx.Client, person: Person) -> None:
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda _: refresh(http, person.tokens["refresh_token"]), range(4)))
    assert [answer.status_code for answer in answers] == [200] * 4
    (successor,) = {answer.json()["refresh_token"] for answer in answers}
    assert refresh(http, successor).status_code == 200


def test_a_refresh_token_lasts_30_days_unused(http: httpx.Client, person: Person) -> None:
    with time_machine.travel(timedelta(days=31)):
        assert refresh(http, person.tokens["refresh_token"]).status_code == 400
    with time_machine.travel(timedelta(days=29)):
        assert refresh(http, person.tokens["refresh_token"]).status_code == 200


def test_a_log_in_that_is_used_ends_after_90_days_all_the_same(http: httpx.Client, person: Person) -> None:
    newest = person.tokens["refresh_token"]
    for day in (29, 58, 87):
        with time_machine.travel(timedelta(days=day)):
            newest = refresh(http, newest).json()["refresh_token"]
    with time_machine.travel(timedelta(days=91)):
        assert refresh(http, newest).status_code == 400


def test_an_access_token_ends_after_ten_minutes(http: httpx.Client, person: Person) -> None:
    assert http.get(ME, headers=person.headers).status_code == 200
    with time_machine.travel(timedelta(seconds=601)):
        assert http.get(ME, headers=person.headers).status_code == 401


def test_a_deactivated_account_gets_no_tokens_and_shows_nothing(
    http: httpx.Client, person: Person, engine: Engine
) -> None:
    with engine.begin() as connection:
        connection.execute(text("UPDATE users SET is_active = false WHERE id = :id"), {"id": person.id})
    answers = [log_in(http, person.email), refresh(http, person.tokens["refresh_token"])]
    answers.append(http.get(ME, headers=person.headers))
    assert [answer.status_code for answer in answers] == [400, 400, 403]
    assert {answer.json()["code"] for answer in answers} == {"account_inactive"}
    assert log_in(http, person.email, "a wrong password").json()["code"] == "invalid_grant"


def test_neither_passwords_nor_tokens_are_in_the_database(http: httpx.Client, person: Person, engine: Engine) -> None:
    successor = refresh(http, person.tokens["refresh_token"]).json()["refresh_token"]
    with engine.connect() as connection:
        tables = connection.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).all()
        stored = "".join(str(connection.execute(text(f'SELECT * FROM "{table}"')).all()) for table in tables)
    assert person.email in stored
    assert "$argon2id$" in stored
    assert PASSWORD not in stored
    assert person.tokens["refresh_token"] not in stored
    assert successor not in stored
    assert "PRIVATE KEY" not in stored
