"""Guessing codes, and passwords where a second factor is on."""

from datetime import timedelta

import httpx
import pytest
import time_machine

from user_service.people import Person, log_in
from user_service.second_factor import App, log_in_with, outcome, prove, switch_on

pytestmark = pytest.mark.usefixtures("early_in_a_step")

LIMIT = 10


def guess(http: httpx.Client, person: Person, app: App, times: int) -> None:
    """Each from another address, as many machines would."""
    for number in range(times):
        http.headers["X-Forwarded-For"] = f"198.51.100.{number}"
        assert outcome(log_in_with(http, person, app.wrong())) == (400, "otp_invalid")
    http.headers["X-Forwarded-For"] = "203.0.113.1"


def test_codes_are_guessed_ten_times_an_hour_wherever_from(http: httpx.Client, person: Person) -> None:
    app, codes = switch_on(http, person)
    guess(http, person, app, LIMIT)
    answer = log_in_with(http, person, app.code())
    assert outcome(answer) == (429, "too_many_attempts")
    assert "codes were wrong" in answer.json()["detail"]
    assert 0 < int(answer.headers["retry-after"]) <= 3600
    assert outcome(prove(http, person, "disable", app.code())) == (429, "too_many_attempts")
    assert log_in_with(http, person, codes[0]).status_code == 200, "a recovery code is not to be guessed"
    with time_machine.travel(timedelta(hours=1)):
        assert log_in_with(http, person, app.code()).status_code == 200


def test_the_right_code_forgives_earlier_mistakes(http: httpx.Client, person: Person) -> None:
    app, _ = switch_on(http, person)
    for hour in (1, 2):
        with time_machine.travel(timedelta(minutes=hour)):
            guess(http, person, app, LIMIT - 1)
            assert log_in_with(http, person, app.code()).status_code == 200


def test_the_right_password_without_a_code_forgives_no_wrong_codes(http: httpx.Client, person: Person) -> None:
    app, _ = switch_on(http, person)
    for _ in range(LIMIT - 1):
        log_in_with(http, person, app.code(), "a wrong password")
    assert outcome(log_in(http, person.email)) == (400, "otp_required")
    assert outcome(log_in_with(http, person, app.wrong())) == (400, "otp_invalid")
    assert outcome(log_in_with(http, person, app.code())) == (429, "too_many_attempts")


def test_a_missing_code_is_no_guess(http: httpx.Client, person: Person) -> None:
    app, _ = switch_on(http, person)
    assert {outcome(log_in(http, person.email)) for _ in range(LIMIT + 1)} == {(400, "otp_required")}
    assert log_in_with(http, person, app.code()).status_code == 200
