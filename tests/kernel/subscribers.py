"""A subscriber that writes down what it is sent, and answers as it is told."""

import threading
from collections.abc import Callable
from typing import Any

from fastapi import FastAPI, Request, Response


class Subscriber:
    """`answers`: subject → statuses of the next deliveries; after them, and for others, 204."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.refused: list[str] = []
        self.answers: dict[str, list[int]] = {}
        self.authorizations: set[str] = set()
        self._changed = threading.Condition()
        self.app = FastAPI()
        self.app.post("/internal/events")(self.receive)

    async def receive(self, request: Request) -> Response:
        event = await request.json()
        self.authorizations.add(request.headers["Authorization"])
        statuses = self.answers.get(event["subject"])
        status = statuses.pop(0) if statuses else 204
        with self._changed:
            if status < 300:
                self.events.append(event)
            else:
                self.refused.append(event["subject"])
            self._changed.notify_all()
        return Response(status_code=status)

    @property
    def delivered(self) -> list[tuple[str, int]]:
        return [(event["subject"], event["dataversion"]) for event in self.events]

    def wait_until(self, condition: Callable[[], bool], timeout_s: float = 60) -> None:
        with self._changed:
            assert self._changed.wait_for(condition, timeout_s), f"not within {timeout_s} s"
