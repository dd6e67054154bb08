"""Staff log in with their platform account, at the real user_service, and stay for as long as they may."""

import json
import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from cryptography.fernet import Fernet
from django.conf import settings
from django.contrib.auth.models import User
from django.test.utils import override_settings
from django.utils import timezone
from sqlalchemy import Engine, create_engine, text

from django_app.imputation.api.authentication import get_verifier
from django_app.staff.authority import RefusedError
from django_app.staff.models import PlatformSession
from django_app.staff.sessions import GRACE
from django_app.staff.throttle import Throttle, get_throttle
from imputehub.local.postgresql import PostgresqlServer
from microservices.kernel.migrations import migrate_database
from microservices.kernel.testing import serve_app
from microservices.user_service.bootstrap import bootstrap_accounts
from microservices.user_service.main import build
from microservices.user_service.settings import Settings
from tests.django_app.browsing import PASSWORD, SERVICES, FormReader, ensure_staff
from tests.django_app.conftest import House

PLATFORM_PASSWORD = "correct horse battery staple"
MICROSERVICES = "/admin/microservices/"


@dataclass
class UserService:
    url: str
    settings: Settings
    engine: Engine

    def add(self, *roles: str) -> str:
        email = f"{uuid4().hex[:12]}@example.org"
        account = {"email": email, "password": PLATFORM_PASSWORD, "full_name": "Ada Example", "roles": list(roles)}
        bootstrap_accounts(self.settings, json.dumps([account]))
        return email

    def set_role(self, email: str, role: str) -> None:
        """While its log-ins go on."""
        user = "SELECT id FROM users WHERE email = :email"
        self.run(f"UPDATE user_roles SET role = :role WHERE user_id = ({user})", role=role, email=email)

    def run(self, statement: str, **values: Any) -> list[Any]:
        with self.engine.begin() as connection:
            result = connection.execute(text(statement), values)
            return list(result) if result.returns_rows else []


@pytest.fixture(scope="session")
def running_users(postgresql: PostgresqlServer, redis_url: str) -> Iterator[UserService]:
    url = postgresql.create_database()
    migrate_database("user_service", url)
    key = Fernet.generate_key().decode()
    values: dict[str, Any] = {"database_url": url, "redis_url": redis_url, "encryption_keys": key, "client_secrets": {}}
    service = Settings(**values)
    engine = create_engine(url)
    with serve_app(build(service)) as address:
        yield UserService(address, service, engine)
    engine.dispose()


@pytest.fixture
def users(house: House, running_users: UserService, redis_url: str) -> Iterator[UserService]:
    """Django asks the real user_service meanwhile."""
    with set_authority(running_users.url, redis_url):
        get_verifier.cache_clear()
        yield running_users
    get_verifier.cache_clear()


def set_authority(url: str, redis_url: str) -> Any:
    changes = {"authority_url": url, "redis_url": type(settings.ENVIRONMENT.redis_url)(redis_url)}
    return override_settings(ENVIRONMENT=settings.ENVIRONMENT.model_copy(update=changes))


@dataclass
class Door:
    """Browsers at the log-in form, each at an address of its own."""

    house: House
    clients: list[httpx.Client] = field(default_factory=list)

    def knock(
        self, email: str, password: str = PLATFORM_PASSWORD, **fields: str
    ) -> tuple[httpx.Client, httpx.Response]:
        client = httpx.Client(base_url=self.house.url, follow_redirects=True, timeout=30)
        self.clients.append(client)
        return client, self.try_again(client, email, password, **fields)

    def try_again(self, client: httpx.Client, email: str, password: str, **fields: str) -> httpx.Response:
        given = {"username": email, "password": password, **fields}
        form = FormReader(client.get("/admin/login/?next=/admin/").text).fields
        return client.post("/admin/login/", data={**form, **given})

    def enter(self, email: str, password: str = PLATFORM_PASSWORD) -> httpx.Client:
        client, answer = self.knock(email, password)
        assert "Log in" not in answer.text, answer.text
        return client


@pytest.fixture
def door(house: House) -> Iterator[Door]:
    door = Door(house)
    yield door
    for client in door.clients:
        client.close()


def let_token_end(email: str, *, ago: timedelta = timedelta()) -> None:
    changed = PlatformSession.objects.filter(user__username=email).update(
        access_ends_at=timezone.now() - ago, ask_again_at=None
    )
    assert changed == 1


def await_true(happened: Callable[[], bool], deadline_s: float = 10) -> None:
    deadline = time.monotonic() + deadline_s
    while not happened():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def is_out(page: httpx.Response, words: str = "") -> bool:
    return page.url.path == "/admin/login/" and words in page.text


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
    client = httpx.Client(base_url=door.house.url, follow_redirects=True, timeout=30)
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
