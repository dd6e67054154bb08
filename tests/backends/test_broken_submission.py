"""Sending a run over connections that refuse, stall or break: what is known of the job afterwards."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from aiohttp import web

from microservices.backends.base import CredentialRefusedError, InputFile, SiteError, SiteUnavailableError
from microservices.backends.session import Deadlines
from microservices.backends.upload import PIECE_BYTES, FilePart, UploadBody
from tests.backends import shapes
from tests.backends.runs import ACCEPTED, APP, SUBMIT_PATH, accept_uploads, endless_file, input_file, run
from tests.backends.stub_site import open_michigan, run_raw_site, run_site


async def read_head(reader: asyncio.StreamReader) -> dict[str, str]:
    lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[1:]
    return {name.lower(): value for name, _, value in (line.partition(": ") for line in lines) if value}


@pytest.mark.parametrize(
    ("status_line", "body", "code"),
    [
        ("401 Unauthorized", '{"message": "Unauthorized"}', "credential_refused"),
        ("413 Payload Too Large", "<html>too large</html>", "upload_too_large"),
        ("503 Service Unavailable", '{"success": false, "message": "maintenance"}', "maintenance"),
    ],
)
async def test_an_answer_while_still_sending_is_understood(status_line: str, body: str, code: str) -> None:
    async def refuse_early(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        answer = f"HTTP/1.1 {status_line}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}"
        writer.write(answer.encode())
        await writer.drain()
        # The sender has to notice by reading: nothing more is taken from it.
        await asyncio.sleep(1)

    async with run_raw_site(refuse_early) as address, open_michigan(address, app=APP) as backend:
        with pytest.raises(SiteError) as refused:
            await backend.submit(run(endless_file(64 * 1024**2)))
    assert (refused.value.code, refused.value.sent) == (code, "partial")


async def test_a_connection_dropped_mid_body_leaves_no_job() -> None:
    async def drop(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        await reader.readexactly(200_000)

    async with run_raw_site(drop) as address, open_michigan(address, app=APP, token=None) as backend:
        with pytest.raises(SiteUnavailableError) as refused:
            await backend.submit(run(endless_file(64 * 1024**2)))
    assert (refused.value.sent, refused.value.permanent) == ("partial", False)


async def test_a_connection_dropped_mid_body_for_a_bad_token_says_so() -> None:
    async def drop_or_verify(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        if head.startswith("POST /api/v2/tokens/verify"):
            body = '{"valid": false, "message": "Invalid API Token."}'
            writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
            await writer.drain()
            await reader.read()

    async with run_raw_site(drop_or_verify) as address, open_michigan(address, app=APP) as backend:
        with pytest.raises(CredentialRefusedError) as refused:
            await backend.submit(run(endless_file(64 * 1024**2)))
    assert refused.value.sent == "partial"


@pytest.mark.parametrize(
    "answer",
    [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{", b"HTTP/1.1 200 OK\r\n", b"\x00garbage\r\n\r\n"],
)
async def test_an_answer_lost_after_the_whole_body_leaves_the_job_open(answer: bytes) -> None:
    received: list[int] = []

    async def lose_answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        length = int((await read_head(reader))["content-length"])
        received.append(len(await reader.readexactly(length)))
        writer.write(answer)
        await writer.drain()

    async with run_raw_site(lose_answer) as address, open_michigan(address, app=APP) as backend:
        with pytest.raises(SiteError) as refused:
            await backend.submit(run(input_file("a.vcf.gz", b"g" * 500_000)))
    assert (refused.value.sent, refused.value.permanent) == ("all", False)
    assert len(received) == 1, "a submission is never sent twice by itself"


async def test_nobody_listening_means_nothing_was_sent() -> None:
    async with run_site() as site:
        address = site.base_url
    async with open_michigan(address, app=APP) as backend:
        with pytest.raises(SiteUnavailableError) as refused:
            await backend.submit(run())
    assert refused.value.sent == "nothing"


async def test_a_site_that_stops_taking_the_body_is_given_up_after_the_idle_deadline() -> None:
    async def stall(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        await asyncio.sleep(5)

    deadlines = Deadlines(upload_idle_s=0.3, answer_s=30)
    async with (
        run_raw_site(stall) as address,
        open_michigan(address, app=APP, token=None, deadlines=deadlines) as backend,
    ):
        with pytest.raises(SiteUnavailableError) as refused:
            await backend.submit(run(endless_file(64 * 1024**2)))
    assert (refused.value.code, refused.value.sent) == ("timeout", "partial")


async def test_a_slow_body_and_a_slow_answer_outlive_the_ordinary_deadlines() -> None:
    async def trickle() -> AsyncIterator[bytes]:
        for _ in range(6):
            await asyncio.sleep(0.1)
            yield b"x" * 100

    async def answer_late(request: web.Request) -> web.Response:
        await request.read()
        await asyncio.sleep(0.5)
        return web.json_response(ACCEPTED)

    settings: dict[str, Any] = {"request_timeout_s": 0.2, "app": APP}
    async with run_site() as site, open_michigan(site.base_url, **settings) as backend:
        site.handle(SUBMIT_PATH, answer_late, method="POST")
        assert await backend.submit(run(InputFile("a.vcf.gz", 600, trickle))) == shapes.JOB


async def test_an_answer_that_never_comes_is_given_up_with_the_job_open() -> None:
    async def never(request: web.Request) -> web.Response:
        await request.read()
        await asyncio.sleep(5)
        return web.json_response(ACCEPTED)

    deadlines = Deadlines(upload_idle_s=30, answer_s=0.3)
    async with run_site() as site, open_michigan(site.base_url, app=APP, deadlines=deadlines) as backend:
        site.handle(SUBMIT_PATH, never, method="POST")
        with pytest.raises(SiteUnavailableError) as refused:
            await backend.submit(run())
    assert (refused.value.code, refused.value.sent) == ("timeout", "all")


async def fail_to_read() -> AsyncIterator[bytes]:
    yield b"x" * 10
    raise FileNotFoundError("gone")


async def read_short() -> AsyncIterator[bytes]:
    yield b"x" * 10


async def read_long() -> AsyncIterator[bytes]:
    yield b"x" * 1000


@pytest.mark.parametrize("source", [fail_to_read, read_short, read_long])
async def test_an_input_that_is_not_as_recorded_never_becomes_a_job(source: Callable[[], AsyncIterator[bytes]]) -> None:
    async with run_site() as site, open_michigan(site.base_url, app=APP) as backend:
        parts = accept_uploads(site)
        with pytest.raises(SiteError) as refused:
            await backend.submit(run(InputFile("a.vcf.gz", 100, source)))
    assert (refused.value.code, refused.value.whose, refused.value.sent) == ("input_unreadable", "platform", "partial")
    assert not [content for _, filename, content in parts if filename]


async def test_a_body_of_a_hundred_megabytes_streams() -> None:
    async def count(request: web.Request) -> web.Response:
        size = 0
        async for chunk in request.content.iter_any():
            size += len(chunk)
        assert size == request.content_length
        return web.json_response(ACCEPTED)

    async with run_site() as site, open_michigan(site.base_url, app=APP) as backend:
        site.handle(SUBMIT_PATH, count, method="POST")
        assert re.match("job-", await backend.submit(run(endless_file(100 * 1024**2))))


async def test_a_body_leaves_in_small_pieces_and_counts_as_sent_before_its_last_byte_does() -> None:
    body = UploadBody([("mode", "imputation")], [FilePart("a.vcf.gz", input_file("a.vcf.gz", bytes(1_000_000), 1))])
    told = [(len(piece), body.sent) async for piece in body.stream(lambda: None)]
    assert (max(size for size, _sent in told) <= PIECE_BYTES, sum(size for size, _sent in told)) == (True, body.length)
    assert [sent for _size, sent in told] == ["partial"] * (len(told) - 1) + ["all"]
