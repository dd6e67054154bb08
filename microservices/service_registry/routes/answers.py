"""Answers that are kept as bytes: with a tag, and 304 for who has them already."""

import re
from collections.abc import AsyncIterator, Callable

from fastapi import Request, Response
from pydantic import BaseModel
from sqlalchemy.orm import Session

from microservices.kernel.db import Database
from microservices.service_registry.logic.catalogue_cache import CatalogueCache, Part

_TAG = re.compile(r'(?:W/)?"([^"]*)"')


async def answer_from_cache(
    request: Request, part: Part, key: str, read: Callable[[Session], BaseModel], *, exclude_none: bool = False
) -> Response:
    """What `read` gives, as JSON; `key` names it among all answers of the registry. What `read` raises is not kept."""
    cache: CatalogueCache = request.app.state.cache
    database: Database = request.app.state.database

    def read_bytes() -> bytes:
        with database.transaction() as session:
            return read(session).model_dump_json(exclude_none=exclude_none).encode()

    answer = await cache.answer(part, key, read_bytes)
    headers = {"ETag": f'"{answer.etag}"', "Cache-Control": "private, no-cache"}
    if _has_already(request.headers.get("if-none-match"), answer.etag):
        return Response(status_code=304, headers=headers)
    return Response(answer.body, media_type="application/json", headers=headers)


def _has_already(if_none_match: str | None, etag: str) -> bool:
    """RFC 9110, section 13.1.2."""
    return if_none_match is not None and (if_none_match.strip() == "*" or etag in _TAG.findall(if_none_match))


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
