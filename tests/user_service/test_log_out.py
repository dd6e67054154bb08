"""Log-out: refresh tokens end at once, access tokens everywhere within seconds, whatever happens to Redis meanwhile."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import redis
from sqlalchemy import Engine, text

from microservices.kernel.auth import TokenVerifier
from microservices.kernel.errors import UnauthenticatedError
from microservices.kernel.revocations import following
from microservices.user_service.bootstrap import bootstrap_accounts
from microservices.user_service.settings import Settings
from tests.waiting import wait_until
from user_service.people import PASSWORD, Person, log_in, new_email, refresh
from user_service.test_audit import read_log
from user_service.test_bootstrap import make_account

LOG_OUT = "/api/v1/auth/logout"
ME = "/api/v1/users/me"


def accepts(verifier: TokenVerifier, token: str) -> bool:
    try:
        verifier.verify(token)
    except UnauthenticatedError:
        return False
    return True


@pytest.fixture
def verifier(base_url: str, redis_url: str) -> Iterator[TokenVerifier]:
    """As any other service verifies."""
    verifier = TokenVerifier(f"{base_url}/.well-known/jwks.json")
    with following(verifier.revoked, redis_url):
        yield verifier


def test_a_log_out_ends_all_tokens_of_that_log_in_and_of_no_other(
    http: httpx.Client, person: Person, verifier: TokenVerifier
) -> None:
    other = log_in(http, person.email).json()["access_token"]
    second = refresh(http, person.tokens["refresh_token"]).json()
    tokens = [person.tokens["access_token"], second["access_token"]]
    assert all(accepts(verifier, token) for token in tokens)
    assert http.post(LOG_OUT, headers=person.headers).status_code == 204
    assert refresh(http, second["refresh_token"]).status_code == 400
    wait_until(lambda: not any(accepts(verifier, token) for token in tokens))
    assert accepts(verifier, other)


def test_the_authority_itself_refuses_the_token_too(http: httpx.Client, person: Person) -> None:
    http.post(LOG_OUT, headers=person.headers)
    wait_until(lambda: http.get(ME, headers=person.headers).status_code == 401)
    problem = http.post(LOG_OUT, headers=person.headers).json()
    assert (problem["code"], problem["detail"]) == ("unauthenticated", "This log-in was ended. Log in again.")


def test_a_log_out_needs_a_token_of_a_person(http: httpx.Client) -> None:
    assert http.post(LOG_OUT).status_code == 401


def test_a_log_out_is_in_the_audit_log(http: httpx.Client, person: Person, engine: Engine) -> None:
    http.post(LOG_OUT, headers=person.headers)
    assert [row["action"] for row in read_log(engine, person.id)][-1] == "logged_out"


def test_a_redis_that_has_lost_its_data_is_filled_again(
    http: httpx.Client, person: Person, redis_url: str, base_url: str
) -> None:
    token = person.tokens["access_token"]
    http.post(LOG_OUT, headers=person.headers)
    with redis.Redis.from_url(redis_url) as client:
        wait_until(lambda: client.exists("revoked_sessions"))
        client.flushdb()
        wait_until(lambda: client.exists("revoked_sessions"))
    late = TokenVerifier(f"{base_url}/.well-known/jwks.json")
    assert accepts(late, token)
    with following(late.revoked, redis_url):
        wait_until(lambda: not accepts(late, token))


def test_a_log_in_is_forgotten_once_its_tokens_have_ended(
    http: httpx.Client, person: Person, engine: Engine, redis_url: str
) -> None:
    """What Redis holds stays small: what ended long ago is not told any more."""
    http.post(LOG_OUT, headers=person.headers)
    with engine.begin() as connection:
        connection.execute(text("UPDATE login_sessions SET revoked_at = now() - interval '12 minutes'"))
    with redis.Redis.from_url(redis_url) as client:
        client.delete("revoked_sessions", "revoked_sessions:version")
        fresh = log_in(http, person.email).json()
        http.post(LOG_OUT, headers={"Authorization": f"Bearer {fresh['access_token']}"})
        wait_until(lambda: client.exists("revoked_sessions"))
        assert client.zcard("revoked_sessions") == 1


def test_a_refresh_token_that_comes_again_ends_the_access_tokens_too(
    http: httpx.Client, person: Person, verifier: TokenVerifier
) -> None:
    """One of the two who use it is a thief, and has an access token."""
    successor = refresh(http, person.tokens["refresh_token"]).json()["refresh_token"]
    newest = refresh(http, successor).json()["access_token"]
    assert accepts(verifier, newest)
    refresh(http, person.tokens["refresh_token"])
    wait_until(lambda: not accepts(verifier, newest))


@pytest.mark.parametrize("change", [{"password": "another long password"}, {"roles": ["researcher"]}])
def test_who_gets_another_password_or_other_roles_logs_in_anew(
    settings: Settings, http: httpx.Client, verifier: TokenVerifier, change: dict[str, Any]
) -> None:
    account = make_account(email=new_email())
    bootstrap_accounts(settings, json.dumps([account]))
    tokens = log_in(http, account["email"], PASSWORD).json()
    bootstrap_accounts(settings, json.dumps([account | change]))
    assert refresh(http, tokens["refresh_token"]).status_code == 400
    wait_until(lambda: not accepts(verifier, tokens["access_token"]))
