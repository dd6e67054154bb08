"""Staff of the platform at the real user_service, and at the admin's log-in form."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
from django.conf import settings
from django.test.utils import override_settings
from django.utils import timezone
from sqlalchemy import Engine, text

from django_app.staff.models import PlatformSession
from microservices.user_service.bootstrap import bootstrap_accounts
from microservices.user_service.settings import Settings
from tests.django_app.browsing import FormReader

PLATFORM_PASSWORD = "correct horse battery staple"


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


def set_authority(url: str, redis_url: str) -> Any:
    changes = {"authority_url": url, "redis_url": type(settings.ENVIRONMENT.redis_url)(redis_url)}
    return override_settings(ENVIRONMENT=settings.ENVIRONMENT.model_copy(update=changes))


@dataclass
class Door:
    """Browsers at the log-in form, each at an address of its own."""

    url: str
    clients: list[httpx.Client] = field(default_factory=list)

    def knock(
        self, email: str, password: str = PLATFORM_PASSWORD, **fields: str
    ) -> tuple[httpx.Client, httpx.Response]:
        client = httpx.Client(base_url=self.url, follow_redirects=True, timeout=30)
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


def let_token_end(email: str, *, ago: timedelta = timedelta()) -> None:
    changed = PlatformSession.objects.filter(user__username=email).update(
        access_ends_at=timezone.now() - ago, ask_again_at=None
    )
    assert changed == 1


def await_true(happened: Callable[[], bool], deadline_s: float = 60) -> None:
    deadline = time.monotonic() + deadline_s
    while not happened():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def is_out(page: httpx.Response, words: str = "") -> bool:
    return page.url.path == "/admin/login/" and words in page.text
