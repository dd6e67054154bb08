"""Connections to a stub that speaks WES, runs to submit, and a site's end that takes them."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

from aiohttp import BodyPartReader, web

from microservices.backends.base import BucketAccess, InputFile, SiteConnection, Submission
from microservices.backends.ga4gh_wes import WesBackend
from microservices.backends.session import Deadlines, open_site_session
from microservices.contracts.curation import ApiConfig
from tests.backends import runs
from tests.backends.stub_site import StubSite
from tests.backends_wes.dialects import RUN

BASE = "/ga4gh/wes/v1"
TOKEN = "tttt.uuuu.vvvv"
MARK = "imputehub-0123456789abcdef0123456789abcdef-1"


@asynccontextmanager
async def open_wes(
    site_url: str,
    *,
    token: str | None = None,
    base: str = BASE,
    deadlines: Deadlines | None = None,
    buckets: BucketAccess | None = None,
    **config: Any,
) -> AsyncIterator[WesBackend]:
    settings = {"allow_private_network": True, "connect_timeout_s": 5, "request_timeout_s": 5, **config}
    known = ApiConfig(**settings)
    connection = SiteConnection(uuid4(), "ga4gh", site_url + base, token, api_config=known, buckets=buckets)
    async with open_site_session(connection) as session:
        yield WesBackend(connection, session, deadlines)


def recipe(**more: Any) -> dict[str, Any]:
    parameters = {"target": "{{input.location}}", "panel": "{{panel.panel_id}}"}
    made = {"workflow_url": "impute.cwl", "workflow_type": "CWL", "workflow_type_version": "v1.2"}
    return {**made, "parameters": parameters, **more}


def run(*files: InputFile, **more: Any) -> Submission:
    own = {"mark": MARK, "panel_id": "afr-panel", "population": "afr", "recipe": recipe()}
    return runs.run(*files, **own | more)


class Inbox:
    """What came in: texts by field, and files as (field, name, content)."""

    def __init__(self) -> None:
        self.fields: dict[str, str] = {}
        self.files: list[tuple[str, str, bytes]] = []

    def parameters(self) -> Any:
        return json.loads(self.fields["workflow_params"])


def accept_runs(site: StubSite, info: dict[str, Any]) -> Inbox:
    site.answer(f"{BASE}/service-info", info)
    inbox = Inbox()

    async def receive(request: web.Request) -> web.Response:
        async for part in await request.multipart():
            assert isinstance(part, BodyPartReader)
            content = bytes(await part.read())
            if part.filename:
                inbox.files.append((part.name or "", part.filename, content))
            else:
                inbox.fields[part.name or ""] = content.decode()
        return web.json_response({"run_id": RUN})

    site.handle(f"{BASE}/runs", receive, method="POST")
    return inbox
