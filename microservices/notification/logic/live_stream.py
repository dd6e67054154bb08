"""One person's live connection, from its first message to its end."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

from pydantic import ValidationError
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool
from starlette.websockets import WebSocket, WebSocketDisconnect

from microservices.kernel.auth import Principal
from microservices.kernel.db import Database
from microservices.kernel.errors import DependencyUnavailableError, ServiceError
from microservices.kernel.logs import get_logger
from microservices.kernel.races import run_until_one_ends
from microservices.notification import queries
from microservices.notification.errors import StreamEndError
from microservices.notification.logic.live_hub import Hub, LogBrokenError, LoggedOutError, TooManyError, TooSlowError
from microservices.notification.logic.live_log import LiveMessage, read_id, write_id, write_messages
from microservices.notification.logic.live_reader import Reader
from microservices.notification.schemas import TokenMessage
from microservices.notification.settings import Settings

UNREADABLE, LOGGED_OUT, REFUSED, TOO_SLOW, TOO_MANY = 4400, 4401, 4403, 4408, 4429
TRY_AGAIN = 1013  # IANA's registry of WebSocket close codes

_MOST_CHARACTERS = 10_000
_PAGE = 500
_WAIT_FOR_HUB_S = 5
_CLOSE_S = 5
_RENEWALS_EVERY_S = 1

Answer = TypeVar("Answer")

log = get_logger(__name__)


class LiveStream:
    """`admit` gives the person of a token, or raises a `ServiceError`."""

    def __init__(
        self,
        websocket: WebSocket,
        admit: Callable[[str], Awaitable[Principal]],
        hub: Hub,
        database: Database,
        settings: Settings,
    ) -> None:
        self._websocket = websocket
        self._admit = admit
        self._hub = hub
        self._database = database
        self._settings = settings

    async def serve(self) -> None:
        await self._websocket.accept()
        try:
            await self._converse()
        except WebSocketDisconnect:
            return
        except StreamEndError as end:
            await self._close(end)
        except TooSlowError:
            await self._close(StreamEndError(TOO_SLOW, "Events come faster than they are read. Connect again."))
        except TooManyError:
            await self._close(StreamEndError(TOO_MANY, "You have too many connections open. Close some."))
        except LoggedOutError:
            await self._close(StreamEndError(LOGGED_OUT, "This log-in was ended."))
        except (SQLAlchemyError, LogBrokenError) as error:
            log.warning("live_stream_interrupted", error=repr(error).split("\n")[0][:300])
            await self._close(StreamEndError(TRY_AGAIN, "Live events are interrupted. Connect again."))

    async def _close(self, end: StreamEndError) -> None:
        """A client that takes nothing is not waited for: the server then closes the connection as it is."""
        with suppress(TimeoutError, WebSocketDisconnect, RuntimeError):
            async with asyncio.timeout(_CLOSE_S):
                await self._websocket.close(end.code, end.reason)

    async def _converse(self) -> None:
        hello, principal = await self._read_hello()
        reader = Reader(principal)
        try:
            async with asyncio.timeout(_seconds_left(principal)) as token_life:
                await run_until_one_ends(self._take_tokens(reader, token_life), self._tell(reader, hello.after))
        except TimeoutError as error:
            if not token_life.expired():
                raise
            raise StreamEndError(LOGGED_OUT, "The token has ended. Connect again with a new one.") from error

    async def _read_hello(self) -> tuple[TokenMessage, Principal]:
        try:
            async with asyncio.timeout(self._settings.first_message_s):
                message = await self._receive()
        except TimeoutError as error:
            raise StreamEndError(LOGGED_OUT, "Send the token in the first message, at once.") from error
        return message, await self._identify(message)

    async def _receive(self) -> TokenMessage:
        message = await self._websocket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message["code"])
        text = message.get("text") or ""
        if len(text) > _MOST_CHARACTERS:
            raise StreamEndError(1009, f"A message may have {_MOST_CHARACTERS} characters.")
        try:
            return TokenMessage.model_validate_json(text)
        except ValidationError:
            raise StreamEndError(UNREADABLE, 'Send JSON as {"token": "…", "after": "…"}.') from None

    async def _identify(self, message: TokenMessage) -> Principal:
        try:
            return await self._admit(message.token)
        except DependencyUnavailableError as error:
            raise StreamEndError(TRY_AGAIN, error.detail) from error
        except ServiceError as error:
            raise StreamEndError(REFUSED if error.status == 403 else LOGGED_OUT, error.detail) from error

    async def _take_tokens(self, reader: Reader, token_life: asyncio.Timeout) -> None:
        while True:
            renewed = await self._identify(await self._receive())
            if renewed.person != reader.person:
                raise StreamEndError(REFUSED, "This token is of another account. Open a connection of its own.")
            reader.take(renewed)
            token_life.reschedule(asyncio.get_running_loop().time() + _seconds_left(renewed))
            await asyncio.sleep(_RENEWALS_EVERY_S)

    async def _tell(self, reader: Reader, after: str | None) -> None:
        try:
            async with asyncio.timeout(_WAIT_FOR_HUB_S):
                await self._hub.ready.wait()
        except TimeoutError as error:
            raise StreamEndError(TRY_AGAIN, "Live events are not ready yet. Try again in a few seconds.") from error
        position = await self._catch_up(reader, after)
        with self._hub.join(reader, position) as subscription:  # nothing was awaited since the positions were compared
            while True:
                await self._send(await subscription.next())

    async def _catch_up(self, reader: Reader, after: str | None) -> int:
        """Send what was missed, until the hub's position is reached; the position that was reached."""
        position = self._hub.position if after is None else await self._find(after)
        if position is not None:
            await self._announce("stream.opened", position)
        while position is None or position < self._hub.position:
            if position is None:  # what is missing is unknown: the client is to read everything anew, and goes on here
                position = self._hub.position
                await self._announce("stream.reset", position)
                continue
            position = await self._send_missed(reader, position, self._hub.position)
        return position

    async def _send_missed(self, reader: Reader, position: int, up_to: int) -> int | None:
        def read() -> list[LiveMessage] | None:
            with self._database.transaction() as session:
                events = queries.list_missed_events(session, reader.person, reader.roles, position, up_to, _PAGE)
                return None if events is None else write_messages(self._hub.log_name, events)

        messages = await run_in_threadpool(read)
        if messages is None:
            return None
        for message in messages:
            await self._send(message.text)
        return messages[-1].number if len(messages) == _PAGE else up_to

    async def _find(self, after: str) -> int | None:
        """The position that an id stands for; None when it is not of this log, or too old."""

        def read() -> tuple[int, int]:
            with self._database.transaction() as session:
                live_log = queries.get_live_log(session)
                return live_log.forgotten_id, live_log.last_id

        number = read_id(self._hub.log_name, after)
        if number is None:
            return None
        forgotten, last = await run_in_threadpool(read)
        return number if forgotten <= number <= last else None

    async def _announce(self, kind: str, position: int) -> None:
        await self._send(json.dumps({"type": kind, "after": write_id(self._hub.log_name, position)}))

    async def _send(self, text: str) -> None:
        try:
            async with asyncio.timeout(self._settings.live_send_s):
                await self._websocket.send_text(text)
        except TimeoutError as error:
            raise TooSlowError from error


def _seconds_left(principal: Principal) -> float:
    return principal.expires_at - time.time()
