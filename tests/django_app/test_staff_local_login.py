"""Local accounts, which log in while user_service is away, and what guessing costs at both."""

import re
from typing import Any
from uuid import uuid4

import httpx
import pytest

from django_app.staff.authority import RefusedError
from django_app.staff.models import PlatformSession
from django_app.staff.throttle import Throttle, get_throttle
from microservices.kernel.testing import serve_app
from tests.django_app.browsing import PASSWORD, SERVICES, ensure_staff
from tests.django_app.conftest import House
from tests.django_app.platform_staff import PLATFORM_PASSWORD, Door, UserService, is_out, set_authority


def test_while_user_service_is_away_only_local_accounts_log_in(house: House, door: Door, redis_url: str) -> None:
    ensure_staff([{"email": "break-glass@example.org", "password": PASSWORD, "roles": ["admin"]}])
    with set_authority("http://127.0.0.1:1", redis_url):
        _, answer = door.knock("curator@example.org")
        assert is_out(answer, "The platform&#x27;s log-in service does not answer")
        browser = door.enter("break-glass@example.org", PASSWORD)
        assert browser.get("/admin/auth/user/").status_code == 200
        assert browser.get(SERVICES).url.path == SERVICES
    assert not PlatformSession.objects.exists()


def test_a_local_accounts_password_never_reaches_user_service(house: House, door: Door, redis_url: str) -> None:
    asked: list[str] = []

    async def note(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            asked.append(scope["path"])

    ensure_staff([{"email": "break-glass@example.org", "password": PASSWORD, "roles": ["admin"]}])
    with serve_app(note) as url, set_authority(url, redis_url):
        door.enter("break-glass@example.org", PASSWORD)
        assert is_out(door.knock("break-glass@example.org", "wrong")[1], "password is wrong")
    assert asked == []


def note_failure(throttle: Throttle, email: str) -> None:
    with throttle.attempt(email, "127.0.0.1") as attempt:
        attempt.wrong = True


def test_guessing_a_local_password_is_made_to_wait(house: House, door: Door) -> None:
    email = f"{uuid4().hex[:12]}@example.org"
    ensure_staff([{"email": email, "password": PASSWORD, "roles": ["admin"]}])
    for _ in range(9):
        note_failure(get_throttle(), email)
    client, answer = door.knock(email, "wrong")
    assert is_out(answer, "password is wrong")
    answer = door.try_again(client, email, PASSWORD)
    assert is_out(answer, "Too many log-ins have failed")
    wait_s = re.search(r"Wait (\d+) s", answer.text)
    assert wait_s
    assert 0 < int(wait_s[1]) <= 900
    client.headers["X-Forwarded-For"] = "10.9.8.7"
    assert door.try_again(client, email, PASSWORD).url.path == "/admin/"


def test_guesses_count_without_redis_too() -> None:
    throttle = Throttle("redis://127.0.0.1:1/0")
    for _ in range(10):
        note_failure(throttle, "a@example.org")
    with pytest.raises(RefusedError, match="Too many"):
        note_failure(throttle, "a@example.org")
    with throttle.attempt("a@example.org", "10.0.0.2"):
        pass


def test_user_service_counts_the_guesses_of_a_platform_password_by_the_persons_address(
    users: UserService, door: Door
) -> None:
    email = users.add("curator")
    client = httpx.Client(base_url=door.url, follow_redirects=True, timeout=30)
    door.clients.append(client)
    client.headers["X-Forwarded-For"] = "10.1.2.3"
    for _ in range(10):
        assert is_out(door.try_again(client, email, "wrong password"), "password is wrong")
    assert is_out(door.try_again(client, email, PLATFORM_PASSWORD), "Too many log-ins have failed")
    client.headers["X-Forwarded-For"] = "10.1.2.4"
    assert door.try_again(client, email, PLATFORM_PASSWORD).url.path == "/admin/"
    addresses = users.run(
        "SELECT DISTINCT address FROM audit_logs a JOIN users u ON u.id = a.owner_id"
        " WHERE u.email = :email AND action = 'login_failed'",
        email=email,
    )
    assert addresses == [("10.1.2.3",)]


def test_a_local_copy_of_a_platform_account_loses_its_password(users: UserService, door: Door) -> None:
    email = users.add("curator")
    ensure_staff([{"email": email, "password": PASSWORD, "roles": ["curator"]}])
    old = door.enter(email, PASSWORD)
    ensure_staff([{"email": email, "roles": ["curator"]}])
    assert is_out(old.get(SERVICES))
    assert is_out(door.knock(email, PASSWORD)[1], "password is wrong")
    assert door.enter(email).get(SERVICES).status_code == 200
