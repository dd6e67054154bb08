"""Who listens in this process, and what each still has to be sent. All of it happens on the event loop.

The hub stands at one position of the log. Whoever joins at a position gets each later event once: what lies between is
read from the table before, and joining and publishing never happen at the same time.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from prometheus_client import Gauge

from microservices.notification.logic.live_log import LiveMessage, Person

LISTENERS = Gauge("live_listeners", "People's connections that are told events as they happen")


class TooSlowError(Exception):
    """The client does not take what it is sent."""


class TooManyError(Exception):
    """This person has as many connections as one may have."""


class LogBrokenError(Exception):
    """Events were forgotten before this process had read them: who comes again is told that something is missing."""


class Subscription:
    """The events of one connection, in order. `position`: what it already had when it joined."""

    def __init__(self, position: int, room: int) -> None:
        self._position = position
        self._waiting: asyncio.Queue[str] = asyncio.Queue(room)
        self._end: Exception | None = None

    def offer(self, message: LiveMessage) -> None:
        if message.number <= self._position or self._end is not None:
            return
        try:
            self._waiting.put_nowait(message.text)
        except asyncio.QueueFull:
            self._end = TooSlowError()

    def end(self, error: Exception) -> None:
        self._end = error
        while not self._waiting.empty():
            self._waiting.get_nowait()
        self._waiting.put_nowait("")

    async def next(self) -> str:
        """The next event's text. Raises `TooSlowError` or `LogBrokenError` when there will be no more."""
        if self._end is None:
            text = await self._waiting.get()
        if self._end is not None:
            raise self._end
        return text


class Hub:
    """`log_name` and `position` are known once the process has read the log for the first time (`ready`)."""

    def __init__(self, *, room: int, most_per_person: int) -> None:
        self.ready = asyncio.Event()
        self.log_name = ""
        self.position = 0
        self._room = room
        self._most_per_person = most_per_person
        self._listeners: dict[Person, set[Subscription]] = defaultdict(set)

    def open(self, log_name: str, position: int) -> None:
        self.log_name, self.position = log_name, position
        self.ready.set()

    def publish(self, messages: Sequence[LiveMessage]) -> None:
        for message in messages:
            if message.number != self.position + 1:  # the log has no gaps
                self._end_all(LogBrokenError())
            self.position = message.number
            for subscription in list(self._find(message.person)):
                subscription.offer(message)

    def _find(self, person: Person | None) -> Iterator[Subscription]:
        groups = self._listeners.values() if person is None else (self._listeners.get(person, ()),)
        return (subscription for group in groups for subscription in group)

    def _end_all(self, error: Exception) -> None:
        for subscription in list(self._find(None)):
            subscription.end(error)

    @contextmanager
    def join(self, person: Person, position: int) -> Iterator[Subscription]:
        """Be told all that comes after `position`, which is not before the hub's."""
        if len(self._listeners[person]) >= self._most_per_person:
            raise TooManyError
        subscription = Subscription(position, self._room)
        self._listeners[person].add(subscription)
        LISTENERS.inc()
        try:
            yield subscription
        finally:
            LISTENERS.dec()
            self._listeners[person].discard(subscription)
            if not self._listeners[person]:
                del self._listeners[person]
