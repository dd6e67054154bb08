"""What the audit log remembers, and what it must not."""

from typing import Any
from uuid import uuid4

import httpx
from sqlalchemy import Engine, text

from user_service.people import PASSWORD, Person, log_in, log_in_client, refresh


def read_log(engine: Engine, owner_id: str) -> list[dict[str, Any]]:
    statement = text("SELECT * FROM audit_logs WHERE owner_id = :id ORDER BY occurred_at")
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(statement, {"id": owner_id}).mappings()]


def test_everything_that_matters_of_an_account_is_recorded(http: httpx.Client, person: Person, engine: Engine) -> None:
    service_id, run_id = str(uuid4()), str(uuid4())
    mine = f"/api/v1/users/me/site-credentials/{service_id}"
    http.put(mine, headers=person.headers, json={"credential": "a very secret site token"})
    service = {"Authorization": f"Bearer {log_in_client(http, 'job_processor').json()['access_token']}"}
    use = {"user_id": person.id, "service_id": service_id, "run_id": run_id}
    http.post("/internal/site-credentials/resolve", headers=service, json=use)
    http.delete(mine, headers=person.headers)
    log_in(http, person.email, "a wrong password")
    successor = refresh(http, person.tokens["refresh_token"]).json()["refresh_token"]
    for token in (successor, person.tokens["refresh_token"]):
        refresh(http, token)
    rows = read_log(engine, person.id)
    assert [row["action"] for row in rows] == [
        *("registered", "logged_in", "credential_set", "credential_used", "credential_deleted"),
        *("login_failed", "refresh_reused"),
    ]
    used = rows[3]
    assert (used["actor"], used["details"]) == ("service:job_processor", {"service_id": service_id, "run_id": run_id})
    assert rows[5]["details"] == {"reason": "wrong_password"}
    for secret in (PASSWORD, "a wrong password", "a very secret site token", person.tokens["refresh_token"]):
        assert secret not in str(rows)


def test_each_row_tells_the_request_and_the_address(http: httpx.Client, person: Person, engine: Engine) -> None:
    request_id = f"audit-{uuid4()}"
    form = {"grant_type": "password", "username": person.email, "password": PASSWORD}
    http.post("/api/v1/auth/token", data=form, headers={"X-Request-ID": request_id})
    row = read_log(engine, person.id)[-1]
    assert (row["request_id"], row["address"]) == (request_id, http.headers["X-Forwarded-For"])


def test_a_failed_log_in_to_no_account_does_not_record_what_was_typed(http: httpx.Client, engine: Engine) -> None:
    log_in(http, "my-password-by-mistake", "x")
    address = http.headers["X-Forwarded-For"]
    statement = text("SELECT * FROM audit_logs WHERE address = :address")
    with engine.connect() as connection:
        row = connection.execute(statement, {"address": address}).mappings().one()
    assert (row["action"], row["owner_id"], row["details"]) == ("login_failed", None, {"reason": "unknown_account"})
    assert "mistake" not in str(dict(row))
