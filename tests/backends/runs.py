"""Runs to submit, and a site's end that takes them."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

from aiohttp import BodyPartReader, web

from microservices.backends.base import InputFile, Submission
from tests.backends import shapes
from tests.backends.stub_site import StubSite

APP = "imputationserver2@2.0.12"
SUBMIT_PATH = f"/api/v2/jobs/submit/{APP}"
ACCEPTED = {"success": True, "message": "Your job was successfully added to the job queue.", "id": shapes.JOB}


def input_file(filename: str, content: bytes, pieces: int = 3) -> InputFile:
    async def read() -> AsyncIterator[bytes]:
        size = max(1, len(content) // pieces)
        for start in range(0, len(content), size):
            yield content[start : start + size]

    return InputFile(filename, len(content), read)


def endless_file(size: int) -> InputFile:
    async def read() -> AsyncIterator[bytes]:
        for _ in range(size // 65536):
            yield bytes(65536)

    return InputFile("big.vcf.gz", size, read)


def run(*files: InputFile, **more: Any) -> Submission:
    submission = Submission(
        mark="ih-0f3a9c11-1",
        panel_id="apps@1000g-phase-3-v5@2.0.0",
        build="hg38",
        population="eur",
        phasing="eagle",
        r2_filter=0.3,
        mode="imputation",
        result_password="Secret12345x",
        files=files or (input_file("cohort.vcf.gz", b"genotypes" * 1000),),
    )
    return replace(submission, **more)


def accept_uploads(site: StubSite, app: str = APP) -> list[tuple[str, str | None, bytes]]:
    """Parts as (field, file name, content), in the order in which they come."""
    parts: list[tuple[str, str | None, bytes]] = []

    async def receive(request: web.Request) -> web.Response:
        async for part in await request.multipart():
            assert isinstance(part, BodyPartReader)
            parts.append((part.name or "", part.filename, bytes(await part.read())))
        return web.json_response(ACCEPTED)

    site.handle(f"/api/v2/jobs/submit/{app}", receive, method="POST")
    return parts
