from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import Engine, text

from user_service.people import Person, log_in_client, register

MINE = "/api/v1/users/me/site-credentials"
RESOLVE = "/internal/site-credentials/resolve"


def put(http: httpx.Client, person: Person, service_id: object, credential: str) -> httpx.Response:
    return http.put(f"{MINE}/{service_id}", headers=person.headers, json={"credential": credential})


def resolve(http: httpx.Client, user_id: str, service_id: object, client_id: str = "job_processor") -> httpx.Response:
    headers = {"Authorization": f"Bearer {log_in_client(http, client_id).json()['access_token']}"}
    request = {"user_id": user_id, "service_id": str(service_id), "run_id": str(uuid4())}
    return http.post(RESOLVE, headers=headers, json=request)


def test_a_credential_is_listed_but_never_shown(http: httpx.Client, person: Person) -> None:
    service_id = uuid4()
    answer = put(http, person, service_id, "a site's token")
    assert answer.status_code == 200
    listed = http.get(MINE, headers=person.headers)
    assert listed.json() == {"items": [answer.json()], "next_cursor": None, "total": 1}
    assert answer.json().keys() == {"service_id", "set_at"}
    assert answer.json()["service_id"] == str(service_id)
    assert answer.json()["set_at"].endswith("Z")
    assert "a site's token" not in listed.text + answer.text


def test_a_run_gets_the_newest_credential_of_its_owner(http: httpx.Client, person: Person) -> None:
    service_id = uuid4()
    for credential in ("the first", "  the second\n"):
        put(http, person, service_id, credential)
    answer = resolve(http, person.id, service_id)
    assert (answer.status_code, answer.json()) == (200, {"credential": "the second"})
    assert answer.headers["cache-control"] == "no-store"


def test_people_s_credentials_are_their_own(http: httpx.Client, person: Person) -> None:
    service_id, other = uuid4(), register(http)
    put(http, person, service_id, "a site's token")
    assert http.get(MINE, headers=other.headers).json()["items"] == []
    assert http.delete(f"{MINE}/{service_id}", headers=other.headers).status_code == 404
    assert resolve(http, other.id, service_id).status_code == 404
    assert resolve(http, person.id, service_id).status_code == 200


def test_a_deleted_credential_is_gone(http: httpx.Client, person: Person) -> None:
    service_id = uuid4()
    put(http, person, service_id, "a site's token")
    assert http.delete(f"{MINE}/{service_id}", headers=person.headers).status_code == 204
    assert http.delete(f"{MINE}/{service_id}", headers=person.headers).status_code == 404
    answer = resolve(http, person.id, service_id)
    assert (answer.status_code, answer.json()["code"]) == (404, "site_credential_not_found")


def test_only_services_with_the_scope_resolve(http: httpx.Client, person: Person) -> None:
    put(http, person, service_id := uuid4(), "a site's token")
    assert resolve(http, person.id, service_id, "api_gateway").status_code == 403
    assert http.post(RESOLVE, json={}).status_code == 401


def test_a_deactivated_person_s_credential_is_not_used(http: httpx.Client, person: Person, engine: Engine) -> None:
    put(http, person, service_id := uuid4(), "a site's token")
    with engine.begin() as connection:
        connection.execute(text("UPDATE users SET is_active = false WHERE id = :id"), {"id": person.id})
    assert resolve(http, person.id, service_id).status_code == 404


def test_pages_of_credentials_go_on_where_the_last_ended(http: httpx.Client, person: Person) -> None:
    services = [str(uuid4()) for _ in range(5)]
    for service_id in services:
        put(http, person, service_id, "a site's token")
    seen: list[str] = []
    cursor: dict[str, Any] = {}
    while True:
        page = http.get(MINE, headers=person.headers, params={"limit": 2, "sort": "set_at", **cursor}).json()
        seen += [item["service_id"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert seen == services


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"credential": ""},
        {"credential": " \n "},
        {"credential": "a\x00b"},
        {"credential": "x" * 8193},
        {"credential": 5},
    ],
)
def test_what_is_no_credential_is_refused_without_repeating_it(
    http: httpx.Client, person: Person, body: dict[str, object]
) -> None:
    answer = http.put(f"{MINE}/{uuid4()}", headers=person.headers, json=body)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "credential")
    assert "x" * 100 not in answer.text


def test_a_site_s_id_is_a_uuid(http: httpx.Client, person: Person) -> None:
    assert put(http, person, "not-a-uuid", "a site's token").status_code == 400


def test_credentials_are_stored_encrypted(http: httpx.Client, person: Person, engine: Engine) -> None:
    put(http, person, uuid4(), "a very secret site token")
    with engine.connect() as connection:
        stored = connection.scalars(
            text("SELECT credential FROM site_credentials WHERE owner_id = :id"), {"id": person.id}
        )
        assert "a very secret" not in str(stored.all())
