"""Whatever a client sends, it is told what is wrong, and never that we failed."""

import json
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from user_service.people import PASSWORD, Person, log_in_client, registration
from user_service.second_factor import MFA, log_in_with, switch_on

nasty_text = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        [
            *(
                "",
                "\x00",
                "a\x00b@example.org",
                "\ud800",
                "\ud800" * 20,
                "🧬" * 300,
                "x" * 100_000,
                "' OR 1=1 --",
                "\u202e",
                "é@exämple.org",
            ),
            *("İ@example.org", "../../etc/passwd", "%00", "null", "1e999"),
        ]
    ),
)
nasty = st.recursive(
    st.one_of(nasty_text, st.none(), st.booleans(), st.integers(), st.floats(), st.just(10**400)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(nasty_text, inner, max_size=3)),
    max_leaves=6,
)


@pytest.fixture
def guarded(early_in_a_step: None, http: httpx.Client, person: Person) -> Person:
    """With a second factor."""
    switch_on(http, person)
    return person


hunt = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def assert_told_clearly(answer: httpx.Response) -> None:
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/problem+json"
        assert {"type", "title", "status", "detail", "code", "request_id"} <= answer.json().keys()


def send_and_assert(http: httpx.Client, method: str, path: str, body: Any, **others: Any) -> None:
    content = json.dumps(body).encode()
    headers = {"Content-Type": "application/json", **others.pop("headers", {})}
    assert_told_clearly(http.request(method, path, content=content, headers=headers, **others))


@hunt
@given(field=st.sampled_from(["email", "full_name", "organization", "password"]), value=nasty)
@example(field="password", value="\ud800" * 20)
def test_registrations(http: httpx.Client, field: str, value: Any) -> None:
    send_and_assert(http, "POST", "/api/v1/auth/register", registration() | {field: value})


@hunt
@given(body=nasty)
def test_profiles(http: httpx.Client, person: Person, body: Any) -> None:
    send_and_assert(http, "PATCH", "/api/v1/users/me", body, headers=person.headers)
    send_and_assert(http, "PATCH", "/api/v1/users/me", {"full_name": body, "affiliation": body}, headers=person.headers)


@hunt
@given(service_id=st.text(max_size=40), value=nasty)
def test_site_credentials(http: httpx.Client, person: Person, service_id: str, value: Any) -> None:
    mine = "/api/v1/users/me/site-credentials/"
    assert_told_clearly(http.delete(mine + quote(service_id, safe="", errors="replace"), headers=person.headers))
    send_and_assert(http, "PUT", mine + person.id, {"credential": value}, headers=person.headers)


@hunt
@given(grant=st.sampled_from(["password", "refresh_token", "client_credentials", "x"]), text=nasty_text)
def test_grants(http: httpx.Client, grant: str, text: str) -> None:
    text = text.encode("utf-8", "replace").decode()
    fields = ("username", "password", "otp", "refresh_token", "client_id", "client_secret")
    assert_told_clearly(http.post("/api/v1/auth/token", data={"grant_type": grant, **dict.fromkeys(fields, text)}))
    assert_told_clearly(http.post("/api/v1/auth/token", data={"grant_type": text}))


@settings(hunt, max_examples=25)
@given(value=nasty)
@example(value="\ud800")
def test_second_factors(http: httpx.Client, person: Person, value: Any) -> None:
    send_and_assert(http, "POST", MFA, {"password": value}, headers=person.headers)
    for path in ("confirm", "disable", "recovery-codes"):
        send_and_assert(http, "POST", f"{MFA}/{path}", {"password": PASSWORD, "otp": value}, headers=person.headers)


@settings(hunt, max_examples=9)  # after ten wrong codes none is looked at any more
@given(text=nasty_text)
def test_codes_at_a_log_in(http: httpx.Client, guarded: Person, text: str) -> None:
    assert_told_clearly(log_in_with(http, guarded, text.encode("utf-8", "replace").decode()))


@hunt
@given(value=nasty)
def test_uses_of_credentials(http: httpx.Client, value: Any) -> None:
    headers = {"Authorization": f"Bearer {log_in_client(http, 'job_processor').json()['access_token']}"}
    request = dict.fromkeys(("user_id", "service_id", "run_id"), value)
    send_and_assert(http, "POST", "/internal/site-credentials/resolve", request, headers=headers)


@hunt
@given(cursor=nasty_text.filter(lambda text: len(text) < 2000), limit=nasty_text.filter(lambda text: len(text) < 2000))
def test_list_parameters(http: httpx.Client, person: Person, cursor: str, limit: str) -> None:
    given_ = {name: text.encode("utf-8", "replace") for name, text in (("cursor", cursor), ("limit", limit))}
    mine = "/api/v1/users/me/site-credentials"
    for name, value in given_.items():
        assert_told_clearly(http.get(mine, headers=person.headers, params={name: value.decode()}))
    assert_told_clearly(http.get(mine, headers=person.headers, params={"sort": given_["cursor"].decode()}))
    assert_told_clearly(http.get(mine, headers=person.headers, params={"unknown": "x"}))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[" * 100_000,
        b"null",
        b'"text"',
        b"[]",
        b"1" * 5_000,
        b'{"email": "\\ud800@example.org"}',
        b"{}" * 2,
    ],
)
def test_bodies_that_are_no_json_object(http: httpx.Client, body: bytes) -> None:
    answer = http.post("/api/v1/auth/register", content=body, headers={"Content-Type": "application/json"})
    assert_told_clearly(answer)
    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        (b"grant_type=password&username=%00&password=%ff", "application/x-www-form-urlencoded"),
        (b"grant_type=" + b"%ed%a0%80", "application/x-www-form-urlencoded"),
        (b"{}", "application/json"),
        (b"x", "multipart/form-data"),
        (b"--b\r\nbroken", "multipart/form-data; boundary=b"),
        (
            b'--b\r\nContent-Disposition: form-data; name="grant_type"\r\n\r\nxn--\xff\r\n--b--\r\n',
            "multipart/form-data; boundary=b; charset=idna",
        ),
        (
            b'--b\r\nContent-Disposition: form-data; name="grant_type"; filename="f"\r\n\r\npassword\r\n--b--\r\n',
            "multipart/form-data; boundary=b",
        ),
    ],
)
def test_forms_that_are_no_form(http: httpx.Client, content: bytes, content_type: str) -> None:
    answer = http.post("/api/v1/auth/token", content=content, headers={"Content-Type": content_type})
    assert_told_clearly(answer)
    assert answer.status_code == 400


@pytest.mark.parametrize("token", ["x", "a.b.c", ".", "..", "eyJ.eyJ.eyJ", "é.ü.ß", "A" * 50_000])
def test_tokens_that_are_none(http: httpx.Client, token: str) -> None:
    answer = http.get("/api/v1/users/me", headers={b"Authorization": f"Bearer {token}".encode()})
    assert_told_clearly(answer)
    assert answer.status_code == 401
