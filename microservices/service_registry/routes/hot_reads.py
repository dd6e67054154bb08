"""The catalogue's reads, answered before the framework is asked: it costs several times what such an answer does.

Only what needs no judgement is answered here: somebody whose token has been verified before asks, letter by letter,
what has been asked and answered before (if need be from the database, once for all who ask). Everything else goes on
to the routes, which also say who may ask.
"""

import re
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from microservices.kernel.auth import recall_person
from microservices.service_registry.logic.catalogue_cache import CatalogueCache, Part, StoredAnswer
from microservices.service_registry.routes.answers import make_headers, name_question

_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_PREFIX = "/api/v1/"


@dataclass(frozen=True)
class HotPath:
    """`path` is the route's template: requests are measured by it."""

    pattern: re.Pattern[str]
    path: str
    part: Part


_PATHS = (
    HotPath(re.compile(r"/api/v1/services"), "/api/v1/services", "services"),
    HotPath(re.compile(r"/api/v1/panels"), "/api/v1/panels", "panels"),
    HotPath(re.compile(rf"/api/v1/services/{_UUID}"), "/api/v1/services/{service_id}", "services"),
    HotPath(re.compile(rf"/api/v1/services/{_UUID}/panels"), "/api/v1/services/{service_id}/panels", "panels"),
    HotPath(re.compile(rf"/api/v1/panels/{_UUID}"), "/api/v1/panels/{panel_id}", "panels"),
)


class HotReadsMiddleware:
    """Plain ASGI, inside of what gives requests their ids, log lines and measurements."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        hot = find_hot_path(scope)
        if hot is not None and recall_person(scope) is not None:
            cache: CatalogueCache = scope["app"].state.cache
            answer = await cache.recall(hot.part, name_question(scope))
            if answer is not None:
                scope["route"] = hot
                return await _send(answer, Headers(scope=scope).get("if-none-match"), send)
        return await self.app(scope, receive, send)


def find_hot_path(scope: Scope) -> HotPath | None:
    if scope["type"] != "http" or scope["method"] != "GET" or not scope["path"].startswith(_PREFIX):
        return None
    return next((hot for hot in _PATHS if hot.pattern.fullmatch(scope["path"])), None)


async def _send(answer: StoredAnswer, if_none_match: str | None, send: Send) -> None:
    status, headers = make_headers(answer, if_none_match)
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": answer.body if status == 200 else b""})
