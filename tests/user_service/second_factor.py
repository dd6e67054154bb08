"""An authenticator app, and people who use one."""

import time
from typing import Any

import httpx
import pyotp

from user_service.people import PASSWORD, Person

MFA = "/api/v1/users/me/mfa"
TOKEN = "/api/v1/auth/token"


class App:
    def __init__(self, secret: str) -> None:
        self.secret = secret

    def code(self, steps: int = 0) -> str:
        """The code of `steps` × 30 s from now."""
        return pyotp.HOTP(self.secret).at(int(time.time()) // 30 + steps)

    def wrong(self) -> str:
        near = {self.code(steps) for steps in range(-3, 4)}
        return next(code for code in (f"{number:06}" for number in range(10)) if code not in near)


def enrol(http: httpx.Client, person: Person) -> App:
    answer = http.post(MFA, headers=person.headers, json={"password": PASSWORD})
    assert answer.status_code == 201, answer.text
    return App(answer.json()["secret"])


def confirm(http: httpx.Client, person: Person, otp: str) -> httpx.Response:
    return http.post(f"{MFA}/confirm", headers=person.headers, json={"otp": otp})


def switch_on(http: httpx.Client, person: Person) -> tuple[App, list[str]]:
    """(the app, the recovery codes). With the code of the step before, so that the present one is unused."""
    app = enrol(http, person)
    answer = confirm(http, person, app.code(-1))
    assert answer.status_code == 200, answer.text
    return app, answer.json()["recovery_codes"]


def log_in_with(http: httpx.Client, person: Person, otp: str, password: str = PASSWORD) -> httpx.Response:
    form = {"grant_type": "password", "username": person.email, "password": password, "otp": otp}
    return http.post(TOKEN, data=form)


def prove(http: httpx.Client, person: Person, what: str, otp: str, password: str = PASSWORD) -> httpx.Response:
    """`what`: disable, recovery-codes."""
    return http.post(f"{MFA}/{what}", headers=person.headers, json={"password": password, "otp": otp})


def read_state(http: httpx.Client, person: Person) -> dict[str, Any]:
    found: dict[str, Any] = http.get(MFA, headers=person.headers).json()
    return found


def outcome(answer: httpx.Response) -> tuple[int, str]:
    """(status, the problem's code)"""
    return answer.status_code, answer.json().get("code", "") if answer.content else ""
