"""The second factor: how it comes on, what log-ins ask for then, and how it goes off."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from urllib.parse import parse_qs, unquote, urlsplit
from uuid import uuid4

import httpx
import pytest
import time_machine
from sqlalchemy import Engine, text

from microservices.user_service.logic.recovery_codes import hash_code
from user_service.people import PASSWORD, Person, log_in, refresh
from user_service.second_factor import (
    MFA,
    TOKEN,
    confirm,
    enrol,
    log_in_with,
    outcome,
    prove,
    read_state,
    switch_on,
)
from user_service.test_audit import read_log

pytestmark = pytest.mark.usefixtures("early_in_a_step")

STEP = timedelta(seconds=30)
WRONG = "The code is wrong, or was used already"


def test_an_app_is_enrolled_by_a_secret_that_a_qr_code_can_say(http: httpx.Client, person: Person) -> None:
    answer = http.post(MFA, headers=person.headers, json={"password": PASSWORD})
    assert (answer.status_code, answer.headers["cache-control"]) == (201, "no-store")
    uri = urlsplit(answer.json()["otpauth_uri"])
    assert (uri.scheme, uri.netloc, unquote(uri.path)) == ("otpauth", "totp", f"/ImputeHub:{person.email}")
    assert parse_qs(uri.query) == {"secret": [answer.json()["secret"]], "issuer": ["ImputeHub"]}
    assert read_state(http, person) == {"enabled": False, "enabled_at": None, "recovery_codes_left": 0}
    assert log_in(http, person.email).status_code == 200, "what is not confirmed is not asked for"


def test_a_code_of_the_app_switches_it_on(http: httpx.Client, person: Person) -> None:
    app = enrol(http, person)
    assert outcome(confirm(http, person, app.wrong())) == (403, "otp_invalid")
    answer = confirm(http, person, f"{app.code()[:3]} {app.code()[3:]}")
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    codes = answer.json()["recovery_codes"]
    assert len(set(codes)) == 10
    state = read_state(http, person)
    assert (state["enabled"], state["recovery_codes_left"]) == (True, 10)
    assert http.get("/api/v1/users/me", headers=person.headers).json()["mfa_enabled"] is True


def test_a_log_in_needs_password_and_code_from_then_on(http: httpx.Client, person: Person) -> None:
    app, _ = switch_on(http, person)
    missing = log_in(http, person.email)
    assert outcome(missing) == (400, "otp_required")
    assert missing.json()["error"] == "invalid_grant"
    assert "authenticator app" in missing.json()["detail"]
    assert outcome(log_in_with(http, person, "  ")) == (400, "otp_required")
    for otp in (app.wrong(), "no code", "١٢٣٤٥٦", "aaaa-bbbb-cccc-dddd"):
        assert outcome(log_in_with(http, person, otp)) == (400, "otp_invalid")
    assert WRONG in log_in_with(http, person, app.wrong()).json()["detail"]
    assert outcome(log_in_with(http, person, app.code(), "a wrong password")) == (400, "invalid_grant")
    answer = log_in_with(http, person, app.code())
    assert answer.status_code == 200
    assert refresh(http, answer.json()["refresh_token"]).status_code == 200, "a log-in that goes on needs no code"


def test_whoever_has_no_second_factor_may_send_a_code_all_the_same(http: httpx.Client, person: Person) -> None:
    assert log_in_with(http, person, "123456").status_code == 200


def test_a_code_is_taken_once(http: httpx.Client, person: Person) -> None:
    app, _ = switch_on(http, person)
    code = app.code()
    assert log_in_with(http, person, code).status_code == 200
    assert outcome(log_in_with(http, person, code)) == (400, "otp_invalid")
    assert outcome(log_in_with(http, person, app.code(-1))) == (400, "otp_invalid"), "nor is an older one"
    assert log_in_with(http, person, app.code(1)).status_code == 200


def test_of_log_ins_at_once_with_one_code_one_succeeds(http: httpx.Client, person: Person) -> None:
    app, codes = switch_on(http, person)
    for otp in (app.code(), codes[0]):
        with ThreadPoolExecutor(4) as threads:
            answers = list(threads.map(lambda _, otp=otp: log_in_with(http, person, otp), range(4)))
        assert sorted(answer.status_code for answer in answers) == [200, 400, 400, 400]


def test_a_log_in_while_it_comes_on_is_asked_for_a_code(http: httpx.Client, person: Person, engine: Engine) -> None:
    enrol(http, person)
    with ThreadPoolExecutor(1) as threads:
        with engine.begin() as confirming:
            confirming.execute(
                text("UPDATE second_factors SET confirmed_at = now() WHERE user_id = CAST(:id AS uuid)"),
                {"id": person.id},
            )
            answer = threads.submit(log_in, http, person.email)
            while not answer.done() and not count_waiting(engine):
                threading.Event().wait(0.02)
        assert outcome(answer.result(timeout=60)) == (400, "otp_required")


def count_waiting(engine: Engine) -> int:
    """Connections to this database that wait for a lock."""
    sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    with engine.connect() as connection:
        return int(connection.execute(text(sql)).scalar_one())


@pytest.mark.parametrize(("steps", "status"), [(-2, 400), (-1, 200), (1, 200), (2, 400)])
def test_a_clock_may_be_off_by_half_a_minute(http: httpx.Client, person: Person, steps: int, status: int) -> None:
    app, _ = switch_on(http, person)
    with time_machine.travel(STEP * 10, tick=False):
        assert log_in_with(http, person, app.code(steps)).status_code == status


def test_a_recovery_code_stands_in_once(http: httpx.Client, person: Person, engine: Engine) -> None:
    _, codes = switch_on(http, person)
    assert log_in_with(http, person, codes[3].upper().replace("-", " ")).status_code == 200
    assert outcome(log_in_with(http, person, codes[3])) == (400, "otp_invalid")
    assert read_state(http, person)["recovery_codes_left"] == 9
    rows = read_log(engine, person.id)
    assert [row["details"] for row in rows if row["action"] == "recovery_code_used"] == [{"left": 9}]


def test_nobody_can_see_that_two_people_have_one_code() -> None:
    assert hash_code(uuid4(), "aaaa-bbbb-cccc-dddd") != hash_code(uuid4(), "aaaa-bbbb-cccc-dddd")


def test_new_recovery_codes_take_the_place_of_the_old(http: httpx.Client, person: Person) -> None:
    app, old = switch_on(http, person)
    answer = prove(http, person, "recovery-codes", app.code())
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    new = answer.json()["recovery_codes"]
    assert not set(old) & set(new)
    assert log_in_with(http, person, old[0]).status_code == 400
    assert log_in_with(http, person, new[0]).status_code == 200


def test_switching_on_or_off_ends_the_other_log_ins_and_not_this_one(http: httpx.Client, person: Person) -> None:
    before = log_in(http, person.email).json()["refresh_token"]
    app, codes = switch_on(http, person)
    assert refresh(http, before).status_code == 400
    between = log_in_with(http, person, app.code()).json()["refresh_token"]
    assert prove(http, person, "disable", codes[0]).status_code == 204
    assert refresh(http, between).status_code == 400
    assert refresh(http, person.tokens["refresh_token"]).status_code == 200


def test_switched_off_it_is_not_asked_for_and_can_be_enrolled_anew(http: httpx.Client, person: Person) -> None:
    first, codes = switch_on(http, person)
    assert prove(http, person, "disable", first.code()).status_code == 204
    assert log_in(http, person.email).status_code == 200
    assert read_state(http, person) == {"enabled": False, "enabled_at": None, "recovery_codes_left": 0}
    second, _ = switch_on(http, person)
    assert log_in_with(http, person, first.code(1)).status_code == 400
    assert log_in_with(http, person, codes[1]).status_code == 400
    assert log_in_with(http, person, second.code()).status_code == 200


@pytest.mark.parametrize("what", ["disable", "recovery-codes"])
def test_a_stolen_token_alone_changes_nothing(http: httpx.Client, person: Person, what: str) -> None:
    app, codes = switch_on(http, person)
    assert outcome(prove(http, person, what, app.code(), "a wrong password")) == (403, "wrong_password")
    assert outcome(prove(http, person, what, app.wrong())) == (403, "otp_invalid")
    assert outcome(http.post(f"{MFA}/{what}", headers=person.headers)) == (400, "invalid_input")
    assert log_in_with(http, person, codes[0]).status_code == 200


def test_enrolling_needs_the_password(http: httpx.Client, person: Person) -> None:
    answer = http.post(MFA, headers=person.headers, json={"password": "a wrong password"})
    assert outcome(answer) == (403, "wrong_password")
    assert outcome(confirm(http, person, "123456")) == (409, "mfa_disabled")


def test_what_does_not_fit_the_present_state_is_refused_by_name(http: httpx.Client, person: Person) -> None:
    for what in ("disable", "recovery-codes"):
        assert outcome(prove(http, person, what, "123456")) == (409, "mfa_disabled")
    enrol(http, person)
    assert outcome(prove(http, person, "disable", "123456")) == (409, "mfa_disabled")
    app, _ = switch_on(http, person)
    assert outcome(http.post(MFA, headers=person.headers, json={"password": PASSWORD})) == (409, "mfa_enabled")
    assert outcome(confirm(http, person, app.code())) == (409, "mfa_enabled")


def test_only_the_newest_enrolment_can_be_confirmed(http: httpx.Client, person: Person) -> None:
    first, second = enrol(http, person), enrol(http, person)
    assert outcome(confirm(http, person, first.code())) == (403, "otp_invalid")
    assert confirm(http, person, second.code()).status_code == 200


def test_neither_secret_nor_codes_are_in_the_database_or_told_again(
    http: httpx.Client, person: Person, engine: Engine
) -> None:
    app, codes = switch_on(http, person)
    with engine.connect() as connection:
        tables = connection.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).all()
        stored = "".join(str(connection.execute(text(f'SELECT * FROM "{table}"')).all()) for table in tables)
    told = "".join(http.get(path, headers=person.headers).text for path in (MFA, "/api/v1/users/me"))
    for secret in (app.secret, codes[0], codes[0].replace("-", "")):
        assert secret not in stored + told


def test_what_happens_to_it_is_in_the_audit_log(http: httpx.Client, person: Person, engine: Engine) -> None:
    app, codes = switch_on(http, person)
    log_in_with(http, person, app.wrong())
    log_in_with(http, person, app.code())
    prove(http, person, "recovery-codes", app.wrong())
    prove(http, person, "recovery-codes", app.code(1))
    prove(http, person, "disable", codes[0], "a wrong password")
    with time_machine.travel(STEP * 10):
        prove(http, person, "disable", app.code())
    rows = [(row["action"], row["details"]) for row in read_log(engine, person.id)][2:]
    assert [action for action, _ in rows] == [
        *("mfa_enabled", "login_failed", "logged_in", "proof_failed"),
        *("recovery_codes_made", "proof_failed", "mfa_disabled"),
    ]
    assert rows[1][1] == {"reason": "wrong_code"}
    assert rows[2][1]["second_factor"] == "app"
    assert [details for action, details in rows if action == "proof_failed"] == [
        {"reason": "wrong_code"},
        {"reason": "wrong_password"},
    ]
    assert app.secret not in str(rows)


@pytest.mark.parametrize("otp", ["x" * 65, "a\x00b", ""])
def test_a_code_that_can_be_none_is_refused_in_words(http: httpx.Client, person: Person, otp: str) -> None:
    app, _ = switch_on(http, person)
    assert http.post(TOKEN, data={"grant_type": "password", "username": person.email, "otp": otp}).status_code == 400
    assert log_in_with(http, person, otp).status_code == 400
    assert prove(http, person, "disable", otp).status_code in (400, 403)
    assert log_in_with(http, person, app.code()).status_code == 200
