"""A job, and lists of them, answered before the framework is asked: to find the route costs it more than the answer.

Only what needs no judgement is answered here: a person whose token has been verified before asks for what there is.
Everything else goes on to the routes, which also say who may ask, and what is wrong.
"""

import asyncio
import re
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache, partial
from typing import NamedTuple
from urllib.parse import parse_qsl
from uuid import UUID

from pydantic import ValidationError
from pydantic_core import to_json
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Receive, Scope, Send

from microservices.job_processor import readings, views
from microservices.job_processor.schemas import JobQuery
from microservices.kernel.auth import Principal, recall_person
from microservices.kernel.db import Cursor, Database
from microservices.kernel.errors import ServiceError

_READERS, _AT_ONCE = 2, 16
LIST = "/api/v1/jobs"
_JOB = re.compile(rf"{LIST}/([0-9a-f]{{8}}(?:-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}})")

Read = Callable[[Cursor], bytes | None]


class HotRead(NamedTuple):
    """`path` is the route's template: requests are measured by it."""

    path: str
    write: Callable[[Principal, Cursor], bytes | None]


class Readers:
    """Threads that read for all who ask meanwhile: to go to a thread, and to a connection, costs as much as a read.

    On one event loop. Since everybody's reads are short, few threads are as fast as many.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._asked: deque[tuple[Read, asyncio.Future[bytes | None]]] = deque()
        self._working: set[asyncio.Task[None]] = set()

    async def read(self, read: Read) -> bytes | None:
        """None also where it failed."""
        answer: asyncio.Future[bytes | None] = asyncio.get_running_loop().create_future()
        self._asked.append((read, answer))
        if len(self._working) < _READERS:
            task = asyncio.create_task(self._work_off())
            self._working.add(task)
            task.add_done_callback(self._working.discard)
        return await answer

    async def _work_off(self) -> None:
        while self._asked:
            batch = [self._asked.popleft() for _ in range(min(_AT_ONCE, len(self._asked)))]
            found = await run_in_threadpool(self._read_all, [read for read, _answer in batch])
            for (_read, answer), body in zip(batch, found, strict=True):
                if not answer.done():
                    answer.set_result(body)

    def _read_all(self, reads: list[Read]) -> list[bytes | None]:
        found: list[bytes | None] = []
        with suppress(Exception), self._database.reading() as cursor:
            for read in reads:
                try:
                    found.append(read(cursor))
                except ServiceError:  # such as a cursor that is not of this list
                    found.append(None)
        return found + [None] * (len(reads) - len(found))


class HotReadsMiddleware:
    """Plain ASGI, inside of what gives requests their ids, log lines and measurements."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        hot = find_hot_read(scope)
        caller = recall_person(scope) if hot is not None else None
        if hot is not None and caller is not None:
            body = await scope["app"].state.readers.read(partial(hot.write, caller))
            if body is not None:
                scope["route"] = hot
                return await _send(body, send)
        return await self.app(scope, receive, send)


def find_hot_read(scope: Scope) -> HotRead | None:
    if scope["type"] != "http" or scope["method"] != "GET" or not scope["path"].startswith(LIST):
        return None
    if scope["path"] == LIST:
        query = read_query(scope["query_string"])
        return None if query is None else HotRead(LIST, partial(write_list, query))
    found = None if scope["query_string"] else _JOB.fullmatch(scope["path"])
    return found and HotRead(f"{LIST}/{{job_id}}", partial(write_job, UUID(found[1])))


@lru_cache(maxsize=1000)
def read_query(query_string: bytes) -> JobQuery | None:
    """None for one that the route has to judge."""
    pairs = parse_qsl(query_string.decode("latin-1"), keep_blank_values=True)
    given = dict(pairs)
    try:
        return JobQuery.model_validate(given) if len(given) == len(pairs) and all(given.values()) else None
    except ValidationError:
        return None


def write_list(query: JobQuery, caller: Principal, cursor: Cursor) -> bytes:
    """A `Page[JobView]` as it was read: to check it against its schema costs as much as to read it."""
    jobs, next_cursor, total = readings.list_own_jobs(cursor, caller, query)
    items = [views.show_job(cursor, rows) for rows in jobs]
    return to_json({"items": items, "next_cursor": next_cursor, "total": total})


def write_job(job_id: UUID, caller: Principal, cursor: Cursor) -> bytes | None:
    """A `JobView`; None where there is no such job among the caller's."""
    rows = readings.read_own_job(cursor, caller, job_id)
    return to_json(views.show_job(cursor, rows)) if rows else None


async def _send(body: bytes, send: Send) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
