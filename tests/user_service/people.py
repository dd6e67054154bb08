"""People and services as the tests know them."""

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx

PASSWORD = "correct horse battery"
CLIENT_SECRET = "a client secret for tests"


@dataclass(frozen=True)
class Person:
    id: str
    email: str
    tokens: dict[str, Any]

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.tokens['access_token']}"}


def new_email() -> str:
    return f"{uuid4().hex[:12]}@example.org"


def registration(**others: Any) -> dict[str, Any]:
    return {"email": new_email(), "password": PASSWORD, "full_name": "Ada Example"} | others


def log_in(http: httpx.Client, email: str, password: str = PASSWORD) -> httpx.Response:
    return http.post("/api/v1/auth/token", data={"grant_type": "password", "username": email, "password": password})


def refresh(http: httpx.Client, token: str) -> httpx.Response:
    return http.post("/api/v1/auth/token", data={"grant_type": "refresh_token", "refresh_token": token})


def log_in_client(http: httpx.Client, client_id: str, secret: str = CLIENT_SECRET) -> httpx.Response:
    form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
    return http.post("/api/v1/auth/token", data=form)


def register(http: httpx.Client, **others: Any) -> Person:
    answer = http.post("/api/v1/auth/register", json=registration(**others))
    assert answer.status_code == 201, answer.text
    user = answer.json()
    tokens = log_in(http, user["email"]).json()
    return Person(user["id"], user["email"], tokens)
