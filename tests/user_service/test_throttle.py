"""Guessing passwords."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from pydantic import SecretStr

from imputehub.local.children import find_free_port
from microservices.kernel.testing import serve_app
from microservices.user_service.main import build
from microservices.user_service.settings import Settings
from user_service.people import Person, log_in, register

LIMIT = 10


def fail(http: httpx.Client, email: str, times: int) -> list[int]:
    return [log_in(http, email, "a wrong password").status_code for _ in range(times)]


def test_after_ten_failures_even_the_right_password_has_to_wait(http: httpx.Client, person: Person) -> None:
    assert fail(http, person.email, LIMIT) == [400] * LIMIT
    answer = log_in(http, person.email)
    assert (answer.status_code, answer.json()["code"]) == (429, "too_many_attempts")
    assert 0 < int(answer.headers["retry-after"]) <= 900


def test_a_stranger_s_failures_do_not_lock_the_owner_out(http: httpx.Client, person: Person) -> None:
    stranger = {"X-Forwarded-For": "192.0.2.7"}
    with httpx.Client(base_url=http.base_url, headers=stranger, timeout=60) as other:
        assert fail(other, person.email, LIMIT + 1)[-1] == 429
    assert log_in(http, person.email).status_code == 200


def test_the_right_password_forgives_earlier_mistakes(http: httpx.Client, person: Person) -> None:
    for _ in range(2):
        assert fail(http, person.email, LIMIT - 1) == [400] * (LIMIT - 1)
        assert log_in(http, person.email).status_code == 200


@pytest.fixture
def without_redis(settings: Settings) -> Iterator[httpx.Client]:
    away = settings.model_copy(update={"redis_url": SecretStr(f"redis://127.0.0.1:{find_free_port()}/0")})
    with serve_app(build(away)) as url, httpx.Client(base_url=url, timeout=60) as client:
        yield client


def test_without_redis_people_still_log_in(without_redis: httpx.Client) -> None:
    somebody = register(without_redis)
    assert fail(without_redis, somebody.email, LIMIT + 1) == [400] * (LIMIT + 1)
    assert log_in(without_redis, somebody.email).status_code == 200
    ready = without_redis.get("/health/ready")
    assert (ready.status_code, ready.json()["dependencies"]["redis"]["status"]) == (200, "down")


def test_of_many_guesses_at_once_no_more_than_ten_are_made(http: httpx.Client, person: Person) -> None:
    with ThreadPoolExecutor(30) as threads:
        statuses = list(threads.map(lambda _: log_in(http, person.email, "a wrong password").status_code, range(30)))
    assert sorted(statuses) == [400] * LIMIT + [429] * (30 - LIMIT)


def test_tries_that_were_put_off_do_not_count(http: httpx.Client, person: Person) -> None:
    """Of the account from elsewhere, nor of the address: both have a wider limit."""
    fail(http, person.email, LIMIT + 100)
    with httpx.Client(base_url=http.base_url, headers={"X-Forwarded-For": "192.0.2.9"}, timeout=60) as other:
        assert log_in(other, person.email).status_code == 200
