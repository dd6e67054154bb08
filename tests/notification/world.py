"""People, events about their jobs, and their ends of live connections."""

import json
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, Self
from uuid import UUID, uuid4

import httpx
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from microservices.kernel.testing import TokenAuthority

NOW = "2026-11-22T12:00:00Z"


class Person:
    def __init__(self, authority: TokenAuthority) -> None:
        self.user_id, self.organization_id = uuid4(), uuid4()
        self._authority = authority
        self.headers = authority.person(user_id=self.user_id, organization_id=self.organization_id)
        self.token = self.headers["Authorization"].removeprefix("Bearer ")

    def short_token(self, seconds: float) -> str:
        return self.token_with(exp=time.time() + seconds)

    def token_with(self, **others: Any) -> str:
        claims = {"sub": str(self.user_id), "org": str(self.organization_id), "roles": ["researcher"], "tier": "local"}
        return self._authority.sign(claims | others)


def make_event(kind: str, subject: str, data: dict[str, Any], event_id: UUID | None = None) -> dict[str, Any]:
    return {
        "id": str(event_id or uuid4()),
        "source": "job_processor",
        "type": kind,
        "subject": subject,
        "time": NOW,
        "dataversion": 1,
        "data": data,
    }


def job_event(person: Person, status: str = "completed", event_id: UUID | None = None, name: str = "cohort A") -> Any:
    job_id = uuid4()
    data = {
        "job_id": str(job_id),
        "organization_id": str(person.organization_id),
        "owner_id": str(person.user_id),
        "name": name,
        "status": status,
        "progress": 100,
        "message": "",
        "occurred_at": NOW,
    }
    return make_event("job.updated", f"job/{job_id}", data, event_id)


def health_event(previous: str, now: str, message: str = "") -> Any:
    site = uuid4()
    data = {
        "service_id": str(site),
        "name": "A site",
        "health_status": now,
        "previous": previous,
        "message": message,
        "checked_at": NOW,
    }
    return make_event("service.health_changed", f"site/{site}", data)


def outage_event(service: str = "file_manager") -> Any:
    data = {
        "service": service,
        "state": "down",
        "previous": "ready",
        "restarted": False,
        "message": "nothing answers",
        "checked_at": NOW,
    }
    return make_event("platform.service_changed", f"platform/{service}", data)


def send(service: httpx.Client, authority: TokenAuthority, event: dict[str, Any]) -> httpx.Response:
    return service.post("/internal/events", json=event, headers=authority.service("job_processor"))


class Listener:
    """A client of the live channel, which has sent its first message and has been told that the stream is open."""

    def __init__(self, url: str, token: str, after: str | None = None, **options: Any) -> None:
        self.socket = open_socket(url, **options)
        self.socket.send(json.dumps({"token": token} | ({"after": after} if after else {})))
        self.opening = json.loads(self.socket.recv(60))
        self.after: str = self.opening.get("after", "")

    def read(self) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(self.socket.recv(60))
        self.after = message["id"]
        return message

    def read_until(self, count: int) -> list[dict[str, Any]]:
        return [self.read() for _ in range(count)]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.socket.close()


def open_socket(url: str, **options: Any) -> ClientConnection:
    address = url.replace("http://", "ws://") + "/api/v1/events"
    return connect(address, **{"open_timeout": 60, "close_timeout": 1, "proxy": None, "legacy": True} | options)


def read_close(socket: ClientConnection) -> tuple[int, str]:
    """Code and reason with which the other side closes; what comes before is thrown away."""
    with suppress(ConnectionClosed):
        while True:
            socket.recv(60)
    return socket.close_code or 0, socket.close_reason or ""


def run_together(work: Iterable[Callable[[], object]]) -> None:
    threads = [threading.Thread(target=one) for one in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
