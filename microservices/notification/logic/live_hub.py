"""Who listens in this process, and what each still has to be sent. All of it happens on the event loop.

The hub stands at one position of the log. Whoever joins at a position gets each later event once: what lies between is
read from the table before, and joining and publishing never happen at the same time.
"""

import asyncio
from collections import defaultdict
from collections.abc import Container, Iterator, Sequence
from contextlib import contextmanager

from prometheus_client import Gauge

from microservices.notification.logic.live_log import FiguresMessage, LiveMessage, Person
from microservices.notification.logic.live_reader import Reader

LISTENERS = Gauge("live_listeners", "People's connections that are told events as they happen")


class TooSlowError(Exception):
    """The client does not take what it is sent."""


class TooManyError(Exception):
    """This person has as many connections as one may have."""


class LogBrokenError(Exception):
    """Events were forgotten before this process had read them: who comes again is told that something is missing."""


class LoggedOutError(Exception):
    """The log-in that the connection's token comes from was ended."""


class Subscription:
    """The events of one connection, in order. `position`: what it already had when it joined."""

    def __init__(self, reader: Reader, position: int, room: int) -> None:
        self.reader = reader
        self._position = position
        self._waiting: asyncio.Queue[str] = asyncio.Queue(room)
        self._end: Exception | None = None

    def offer(self, message: LiveMessage) -> None:
        if message.number > self._position and self.reader.may_see(message.audience):
            self._put(message.text)

    def offer_figures(self, figures: FiguresMessage) -> None:
        if self.reader.may_see(figures.audience):
            self._put(figures.text)

    def _put(self, text: str) -> None:
        if self._end is not None:
            return
        try:
            self._waiting.put_nowait(text)
        except asyncio.QueueFull:
            self._end = TooSlowError()

    def end(self, error: Exception) -> None:
        self._end = error
        while not self._waiting.empty():
            self._waiting.get_nowait()
        self._waiting.put_nowait("")

    async def next(self) -> str:
        """The next event's text. Raises the error with which it was ended when there will be no more."""
        if self._end is None:
            text = await self._waiting.get()
        if self._end is not None:
            raise self._end
        return text


class Hub:
    """`log_name` and `position` are known once the process has read the log for the first time (`ready`).

    `revoked`: the log-ins that were ended; whoever comes with one of them is not let in.
    """

    def __init__(self, *, room: int, most_per_person: int, revoked: Container[str]) -> None:
        self.ready = asyncio.Event()
        self.log_name = ""
        self.position = 0
        self._room = room
        self._most_per_person = most_per_person
        self._revoked = revoked
        self._figures: dict[str, FiguresMessage] = {}
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

    def publish_figures(self, messages: Sequence[FiguresMessage]) -> None:
        for message in messages:
            self._figures[message.type] = message
            for subscription in list(self._find(None)):
                subscription.offer_figures(message)

    def end_sessions(self, session_ids: Container[str]) -> None:
        """Their people have logged out."""
        for subscription in list(self._find(None)):
            if subscription.reader.session_id in session_ids:
                subscription.end(LoggedOutError())

    def _find(self, person: Person | None) -> Iterator[Subscription]:
        groups = self._listeners.values() if person is None else (self._listeners.get(person, ()),)
        return (subscription for group in groups for subscription in group)

    def _end_all(self, error: Exception) -> None:
        for subscription in list(self._find(None)):
            subscription.end(error)

    @contextmanager
    def join(self, reader: Reader, position: int) -> Iterator[Subscription]:
        """Be told all that comes after `position`, which is not before the hub's, and first the figures of now."""
        if reader.session_id in self._revoked:
            raise LoggedOutError
        others = self._listeners[reader.person]
        if len(others) >= self._most_per_person:
            raise TooManyError
        subscription = Subscription(reader, position, self._room)
        for figures in self._figures.values():
            subscription.offer_figures(figures)
        others.add(subscription)
        LISTENERS.inc()
        try:
            yield subscription
        finally:
            LISTENERS.dec()
            others.discard(subscription)
            if not others:
                self._listeners.pop(reader.person, None)
