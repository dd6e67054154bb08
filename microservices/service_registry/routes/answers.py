"""Answers that are kept as bytes: with a tag, and 304 for who has them already."""

import re
from collections.abc import AsyncIterator, Callable

from fastapi import Request, Response
from pydantic import BaseModel
from sqlalchemy.orm import Session
from starlette.types import Scope

from microservices.kernel.db import Database
from microservices.service_registry.logic.catalogue_cache import CatalogueCache, Part, StoredAnswer

_TAG = re.compile(r'(?:W/)?"([^"]*)"')


async def answer_from_cache(request: Request, part: Part, read: Callable[[Session], BaseModel]) -> Response:
    """What `read` gives, as JSON, kept under the request's address. What `read` raises is not kept."""
    cache: CatalogueCache = request.app.state.cache
    database: Database = request.app.state.database

    def read_bytes() -> bytes:
        with database.transaction() as session:
            return read(session).model_dump_json(by_alias=True).encode()

    answer = await cache.answer(part, name_question(request.scope), read_bytes)
    status, headers = make_headers(answer, request.headers.get("if-none-match"))
    return Response(answer.body if status == 200 else None, status, headers)


def name_question(scope: Scope) -> str:
    """The address as it was asked for; what is spelt otherwise is another question with the same answer."""
    return f"{scope['path']}?{scope['query_string'].decode('latin-1')}"


def make_headers(answer: StoredAnswer, if_none_match: str | None) -> tuple[int, dict[str, str]]:
    """(status, headers): RFC 9110, section 13.1.2."""
    headers = {"etag": f'"{answer.etag}"', "cache-control": "private, no-cache"}
    if if_none_match is not None and (if_none_match.strip() == "*" or answer.etag in _TAG.findall(if_none_match)):
        return 304, headers
    return 200, {**headers, "content-type": "application/json", "content-length": str(len(answer.body))}


async def settle_catalogue(request: Request) -> AsyncIterator[None]:
    """For routes that change the catalogue: once they succeed, nobody is given what was true before.

    Depend on it with scope `function` before anything opens a session: then it ends after the commit and before the
    answer is sent.
    """
    yield
    await expire_catalogue(request)


async def expire_catalogue(request: Request) -> None:
    cache: CatalogueCache = request.app.state.cache
    cache.expire("services", "panels")
    await cache.settle()
