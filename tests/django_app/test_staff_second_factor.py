"""Staff whose account has a second factor, at the real user_service; and what the log-in form itself refuses."""

import time
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import httpx
import pyotp
import pytest
import time_machine
from django.contrib.auth.models import User

from django_app.staff.authority import RefusedError
from django_app.staff.models import PlatformSession
from django_app.staff.throttle import Throttle
from tests.django_app.browsing import SERVICES
from tests.django_app.conftest import House
from tests.django_app.platform_staff import PLATFORM_PASSWORD, Door, UserService, is_out

MFA = "/api/v1/users/me/mfa"


def switch_on(users: UserService, email: str) -> tuple[str, list[str]]:
    """(secret, recovery codes), by the API as the account's page does it."""
    with httpx.Client(base_url=users.url) as http:
        form = {"grant_type": "password", "username": email, "password": PLATFORM_PASSWORD}
        token = http.post("/api/v1/auth/token", data=form).json()["access_token"]
        http.headers["Authorization"] = f"Bearer {token}"
        secret = http.post(MFA, json={"password": PLATFORM_PASSWORD}).json()["secret"]
        answer = http.post(f"{MFA}/confirm", json={"otp": make_code(secret, -1)})
        return secret, answer.json()["recovery_codes"]


def make_code(secret: str, steps: int = 0) -> str:
    return pyotp.HOTP(secret).at(int(time.time()) // 30 + steps)


def test_staff_log_in_with_password_and_code_and_read_what_is_missing(users: UserService, door: Door) -> None:
    with time_machine.travel((time.time() // 30 + 1) * 30 + 1):
        email = users.add("curator")
        secret, codes = switch_on(users, email)
        client, answer = door.knock(email)
        assert is_out(answer, "This account has a second factor: give the code of your authenticator app")
        assert not PlatformSession.objects.exists()
        near = {make_code(secret, steps) for steps in range(-3, 4)}
        wrong = next(code for code in map("{:06}".format, range(10)) if code not in near)
        assert is_out(door.try_again(client, email, PLATFORM_PASSWORD, otp=wrong), "The code is wrong")
        answer = door.try_again(client, email, PLATFORM_PASSWORD, otp=f" {make_code(secret)} ")
        assert answer.url.path == "/admin/", answer.text
        assert client.get(SERVICES).status_code == 200
        again = door.knock(email, otp=make_code(secret))[1]
        assert is_out(again, "was used already")
        assert door.knock(email, otp=codes[0])[1].url.path == "/admin/"


def test_an_address_that_is_too_long_is_refused_in_words(users: UserService, door: Door) -> None:
    """user_service takes it; the accounts of these pages have no room for it."""
    email = f"{uuid4().hex}@{'x' * 60}.{'y' * 60}.example.org"
    assert len(email) > 150
    assert is_out(door.knock(email)[1], "e-mail addresses of at most 150 characters")
    assert not User.objects.exists()


@pytest.mark.parametrize("url", ["redis", "nowhere"])
def test_of_many_guesses_at_once_no_more_than_ten_are_made(house: House, redis_url: str, url: str) -> None:
    throttle = Throttle(redis_url if url == "redis" else "redis://127.0.0.1:1/0")
    email = f"{uuid4().hex}@example.org"

    def guess(_number: int) -> bool:
        try:
            with throttle.attempt(email, "127.0.0.1") as attempt:
                attempt.wrong = True
        except RefusedError:
            return False
        return True

    with ThreadPoolExecutor(30) as threads:
        made = sum(threads.map(guess, range(30)))
    # In memory two counts may see each other, and both be put off.
    assert made == 10 if url == "redis" else 0 < made <= 10


def test_right_passwords_are_no_guesses(redis_url: str) -> None:
    throttle, email = Throttle(redis_url), f"{uuid4().hex}@example.org"
    for _ in range(11):
        with throttle.attempt(email, "127.0.0.1"):
            pass
