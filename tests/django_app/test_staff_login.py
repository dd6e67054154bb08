"""Staff log in with their platform account, at the real user_service, and stay for as long as they may."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import httpx
import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from django_app.staff.models import PlatformSession
from django_app.staff.sessions import GRACE
from microservices.kernel.testing import serve_app
from tests.django_app.browsing import PASSWORD, SERVICES, FormReader, ensure_staff
from tests.django_app.conftest import House
from tests.django_app.platform_staff import (
    PLATFORM_PASSWORD,
    Door,
    UserService,
    await_true,
    is_out,
    let_token_end,
    set_authority,
)

MICROSERVICES = "/admin/microservices/"


def test_a_second_log_in_leaves_the_first_browser_as_it_is(users: UserService, door: Door) -> None:
    email = users.add("curator")
    first = door.enter(email)
    second = door.enter(email)
    assert [browser.get("/admin/").status_code for browser in (first, second)] == [200, 200]
    assert [len(browser.get("/admin/").history) for browser in (first, second)] == [0, 0]


def test_each_role_gets_the_pages_that_are_its_own(users: UserService, door: Door) -> None:
    expected = {
        "curator": {SERVICES: 200, MICROSERVICES: 200, "/admin/auth/user/": 403},
        "operator": {SERVICES: 403, MICROSERVICES: 200, "/admin/auth/user/": 403},
        "admin": {SERVICES: 200, MICROSERVICES: 200, "/admin/auth/user/": 200},
    }
    for role, pages in expected.items():
        browser = door.enter(users.add(role))
        assert {path: browser.get(path).status_code for path in pages} == pages, role


def test_the_account_here_is_a_shadow_of_the_platforms(users: UserService, door: Door) -> None:
    email = users.add("curator")
    door.enter(email.upper())
    user = User.objects.get()
    assert (user.username, user.email, user.get_full_name()) == (email, email, "Ada Example")
    assert not user.has_usable_password()
    assert not user.is_superuser
    assert [group.name for group in user.groups.all()] == ["curators"]
    users.set_role(email, "admin")
    users.run("UPDATE user_profiles SET full_name = 'Ada Renamed'")
    door.enter(email)
    assert User.objects.get().is_superuser
    assert User.objects.get().get_full_name() == "Ada Renamed"


def test_administrators_see_who_logs_in_by_which_account(users: UserService, door: Door) -> None:
    ensure_staff([{"email": "break-glass@example.org", "password": PASSWORD, "roles": ["admin"]}])
    page = door.enter(users.add("admin")).get("/admin/auth/user/").text
    assert page.count("here, with a local password") == 1
    assert page.count("with the platform&#x27;s account") == 1


def test_tokens_are_kept_encrypted(users: UserService, door: Door) -> None:
    door.enter(users.add("curator"))
    session = PlatformSession.objects.get()
    assert session.access_token
    assert session.access_token.reveal().count(".") == 2
    assert "." not in session.access_token.stored
    assert "[secret]" in f"{session.access_token} {session.refresh_token}"


@pytest.mark.parametrize(("roles", "password", "words"), [
    (("curator",), "wrong password", "The e-mail address or the password is wrong."),
    (("researcher",), PLATFORM_PASSWORD, "none of the roles that these pages are for"),
])  # fmt: skip
def test_who_is_refused_reads_why(
    users: UserService, door: Door, roles: tuple[str, ...], password: str, words: str
) -> None:
    _, answer = door.knock(users.add(*roles), password)
    assert is_out(answer, words)
    assert not PlatformSession.objects.exists()
    assert not User.objects.exists()


def test_a_log_in_that_leads_nowhere_is_ended_at_user_service_too(users: UserService, door: Door) -> None:
    email = users.add("researcher")
    door.knock(email)
    [(revoked_at,)] = users.run(
        "SELECT revoked_at FROM login_sessions s JOIN users u ON u.id = s.user_id WHERE u.email = :email", email=email
    )
    assert revoked_at is not None


def test_a_one_time_code_is_asked_for_and_passed_on(house: House, door: Door, redis_url: str) -> None:
    forms: list[str] = []

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        forms.append((await receive())["body"].decode())
        problem = {"detail": "The one-time code is wrong.", "code": "otp_invalid", "error": "invalid_grant"}
        await send({"type": "http.response.start", "status": 400, "headers": []})
        await send({"type": "http.response.body", "body": json.dumps(problem).encode()})

    with serve_app(answer) as url, set_authority(url, redis_url):
        _, page = door.knock("curator@example.org", otp="123456")
    assert is_out(page, "The one-time code is wrong.")
    assert "otp=123456" in forms[0]
    assert 'autocomplete="one-time-code"' in page.text


def test_the_token_is_renewed_by_the_requests_that_come(users: UserService, door: Door) -> None:
    email = users.add("curator")
    browser = door.enter(email)
    before = PlatformSession.objects.get()
    let_token_end(email, ago=timedelta(hours=2))
    assert browser.get(SERVICES).url.path == SERVICES
    after = PlatformSession.objects.get()
    assert after.access_ends_at > timezone.now() + timedelta(minutes=9)
    assert after.refresh_token != before.refresh_token
    assert after.login_id == before.login_id


def test_requests_at_once_use_a_refresh_token_once(users: UserService, door: Door) -> None:
    email = users.add("curator")
    browser = door.enter(email)
    for _round in range(3):
        let_token_end(email)
        with ThreadPoolExecutor(6) as threads:
            pages = list(threads.map(browser.get, [SERVICES] * 6))
        assert [page.url.path for page in pages] == [SERVICES] * 6
    used = users.run("SELECT count(*) FROM audit_logs WHERE action = 'refresh_reused'")
    assert used == [(0,)]


def test_lost_roles_are_lost_here_at_the_next_renewal(users: UserService, door: Door) -> None:
    email = users.add("curator")
    browser = door.enter(email)
    users.set_role(email, "operator")
    let_token_end(email)
    assert browser.get(SERVICES).status_code == 403
    assert browser.get(MICROSERVICES).status_code == 200
    users.set_role(email, "researcher")
    let_token_end(email)
    assert is_out(browser.get(MICROSERVICES), "none of the roles")
    assert not User.objects.get().is_staff
    assert is_out(browser.get(SERVICES))


def test_a_deactivated_account_is_shown_out_with_a_word(users: UserService, door: Door) -> None:
    email = users.add("curator")
    browser = door.enter(email)
    users.run("UPDATE users SET is_active = false WHERE email = :email", email=email)
    let_token_end(email)
    page = browser.get(SERVICES)
    assert is_out(page, "This account has been deactivated")
    assert FormReader(page.text).fields["next"] == SERVICES
    assert not PlatformSession.objects.exists()


def test_a_log_in_that_was_ended_elsewhere_is_ended_here_within_seconds(users: UserService, door: Door) -> None:
    browser = door.enter(users.add("curator"))
    token = PlatformSession.objects.get().access_token
    assert token
    headers = {"Authorization": f"Bearer {token.reveal()}"}
    assert httpx.post(f"{users.url}/api/v1/auth/logout", headers=headers).status_code == 204
    await_true(lambda: is_out(browser.get(SERVICES), "Your log-in was ended"))


def test_logging_out_here_ends_the_log_in_at_user_service(users: UserService, door: Door) -> None:
    email = users.add("curator")
    browser = door.enter(email)
    token = PlatformSession.objects.get().refresh_token
    assert token
    form = FormReader(browser.get(SERVICES).text).fields
    browser.post("/admin/logout/", data={"csrfmiddlewaretoken": form["csrfmiddlewaretoken"]})
    assert is_out(browser.get(SERVICES))
    grant = {"grant_type": "refresh_token", "refresh_token": token.reveal()}
    assert httpx.post(f"{users.url}/api/v1/auth/token", data=grant).status_code == 400


def test_a_session_outlasts_an_absence_of_user_service_for_a_while(
    users: UserService, door: Door, redis_url: str
) -> None:
    email = users.add("curator")
    browser = door.enter(email)
    with set_authority("http://127.0.0.1:1", redis_url):
        let_token_end(email, ago=GRACE / 2)
        assert browser.get(SERVICES).url.path == SERVICES
        assert PlatformSession.objects.get().ask_again_at is not None
        let_token_end(email, ago=GRACE + timedelta(seconds=1))
        assert is_out(browser.get(SERVICES), "has been away for so long")


def test_a_short_absence_of_user_service_is_not_noticed(users: UserService, door: Door, redis_url: str) -> None:
    email = users.add("curator")
    browser = door.enter(email)
    let_token_end(email)
    with set_authority("http://127.0.0.1:1", redis_url):
        assert browser.get(SERVICES).url.path == SERVICES
    PlatformSession.objects.update(ask_again_at=None)
    assert browser.get(SERVICES).url.path == SERVICES
    assert PlatformSession.objects.get().access_ends_at > timezone.now()


def test_a_session_whose_platform_log_in_is_not_known_ends(users: UserService, door: Door) -> None:
    browser = door.enter(users.add("curator"))
    PlatformSession.objects.all().delete()
    assert is_out(browser.get(SERVICES), "Your log-in was ended")


@pytest.mark.parametrize("target", ["https://evil.example.org/", "//evil.example.org", "javascript:alert(1)"])
def test_a_log_in_leads_to_no_other_host(users: UserService, door: Door, target: str) -> None:
    client, _ = door.knock(users.add("curator"), "wrong password")
    form = FormReader(client.get("/admin/login/").text).fields
    given = {"username": users.add("curator"), "password": PLATFORM_PASSWORD, "next": target}
    answer = client.post("/admin/login/", data={**form, **given}, follow_redirects=False)
    assert answer.status_code == 302
    assert answer.headers["Location"] == "/admin/"
