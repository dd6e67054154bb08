"""Sending a run: what arrives, and what is known when it does not."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import BodyPartReader, web

from microservices.backends.base import (
    CredentialRefusedError,
    InputFile,
    SiteError,
    SiteFullError,
    SiteUnavailableError,
    Submission,
)
from microservices.backends.michigan.client import Deadlines
from tests.backends import shapes
from tests.backends.stub_site import (
    TOKEN,
    StubSite,
    framework_error,
    open_michigan,
    own_error,
    run_raw_site,
    run_site,
)

APP = "imputationserver2@2.0.12"
SUBMIT_PATH = f"/api/v2/jobs/submit/{APP}"
ACCEPTED = {"success": True, "message": "Your job was successfully added to the job queue.", "id": shapes.JOB}
FULL = "Only 2 jobs per user can be executed simultaneously."
RESTS = "This functionality is currently under maintenance."
PAGE: dict[str, Any] = {"text": "<html>Bad gateway</html>", "content_type": "text/html"}


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


def accept_uploads(site: StubSite) -> list[tuple[str, str | None, bytes]]:
    """Parts as (field, file name, content), in the order in which they come."""
    parts: list[tuple[str, str | None, bytes]] = []

    async def receive(request: web.Request) -> web.Response:
        async for part in await request.multipart():
            assert isinstance(part, BodyPartReader)
            parts.append((part.name or "", part.filename, bytes(await part.read())))
        return web.json_response(ACCEPTED)

    site.handle(SUBMIT_PATH, receive, method="POST")
    return parts


async def test_a_run_arrives_with_all_its_fields_and_exact_length() -> None:
    async with run_site() as site, open_michigan(site.base_url) as backend:
        site.answer("/api/v2/server", shapes.server())
        parts = accept_uploads(site)
        first, second = input_file("/data/chr20.VCF.GZ", b"a" * 300_000), input_file("x y.vcf.gz", b"")
        assert await backend.submit(run(first, second)) == shapes.JOB
    fields = {name: content.decode() for name, filename, content in parts if filename is None}
    assert fields == {
        "job-name": "ih-0f3a9c11-1",
        "refpanel": "apps@1000g-phase-3-v5@2.0.0",
        "build": "hg38",
        "population": "eur",
        "phasing": "eagle",
        "r2Filter": "0.3",
        "mode": "imputation",
        "password": "Secret12345x",
        "aesEncryption": "yes",
    }
    files = [(name, filename, content) for name, filename, content in parts if filename is not None]
    assert files == [("files", "chr20.vcf.gz", b"a" * 300_000), ("files", "x_y.vcf.gz", b"")]
    request = site.seen[-1]
    assert request.token == TOKEN
    assert int(request.headers["Content-Length"]) > 300_000
    assert "Transfer-Encoding" not in request.headers


async def test_the_curators_application_is_used_without_asking_and_population_defaults_to_off() -> None:
    async with run_site() as site, open_michigan(site.base_url, app=APP) as backend:
        parts = accept_uploads(site)
        await backend.submit(run(population=None, r2_filter=0))
    assert ("population", None, b"off") in parts
    assert ("r2Filter", None, b"0") in parts
    assert site.count("/api/v2/server") == 0


async def test_files_of_one_name_reach_the_site_under_distinct_names() -> None:
    async with run_site() as site, open_michigan(site.base_url, app=APP) as backend:
        parts = accept_uploads(site)
        names = ("a/chr1.vcf.gz", "b/chr1.vcf.gz", "b\\CHR1.vcf.gz")
        await backend.submit(run(*(input_file(name, b"x") for name in names)))
    assert [filename for _, filename, _ in parts if filename] == ["chr1.vcf.gz", "chr1-2.vcf.gz", "CHR1-3.vcf.gz"]


@pytest.mark.parametrize(
    ("change", "code", "whose"),
    [
        ({"files": ()}, "no_input_files", "input"),
        ({"files": (input_file("cohort.vcf", b"x"),)}, "filename_unusable", "input"),
        ({"result_password": "1short"}, "field_unsafe", "platform"),
        ({"result_password": 'Pa$$word"1234'}, "field_unsafe", "platform"),
        ({"mark": "0042"}, "field_unsafe", "platform"),
        ({"mark": "a" * 51}, "field_unsafe", "platform"),
        ({"panel_id": "1000G Phase 3 (hg19)"}, "field_unsafe", "platform"),
    ],
)
async def test_what_would_not_arrive_unchanged_is_not_sent(change: dict[str, Any], code: str, whose: str) -> None:
    async with run_site() as site, open_michigan(site.base_url, app=APP) as backend:
        with pytest.raises(SiteError) as refused:
            await backend.submit(run(**change))
    error = refused.value
    assert (error.code, error.whose, error.permanent, error.sent) == (code, whose, True, "nothing")
    assert "Pa$$" not in str(error)
    assert site.seen == []


@pytest.mark.parametrize(
    ("status", "answer", "kind", "code", "permanent", "sent"),
    [
        (400, own_error(FULL), SiteFullError, "site_full", False, "nothing"),
        (401, framework_error("Unauthorized"), CredentialRefusedError, "credential_refused", True, "nothing"),
        (403, framework_error("Forbidden"), CredentialRefusedError, "credential_refused", True, "nothing"),
        (503, own_error(RESTS), SiteUnavailableError, "maintenance", False, "nothing"),
        (400, own_error("Parameter 'x' not found."), SiteError, "refused", True, "nothing"),
        (415, framework_error("Unsupported Media Type"), SiteError, "refused", True, "nothing"),
        (413, framework_error("too big"), SiteError, "upload_too_large", True, "nothing"),
        (429, framework_error("Too many"), SiteUnavailableError, "unavailable", False, "nothing"),
        (500, framework_error("Internal Server Error"), SiteUnavailableError, "unavailable", False, "all"),
        (200, {"success": True, "message": "fine"}, SiteError, "answer_unreadable", False, "all"),
        (200, {"success": True, "id": "../../etc"}, SiteError, "answer_unreadable", False, "all"),
        (200, {"id": shapes.JOB}, SiteError, "answer_unreadable", False, "all"),
        (200, own_error("No"), SiteError, "refused", True, "nothing"),
        (200, {"success": True, "message": " " * 33 * 1024**2}, SiteUnavailableError, "answer_too_large", False, "all"),
    ],
)  # fmt: skip
async def test_each_answer_to_a_whole_body_has_its_meaning(
    status: int, answer: dict[str, Any], kind: type[SiteError], code: str, permanent: bool, sent: str
) -> None:
    async with run_site() as site, open_michigan(site.base_url, app=APP) as backend:
        site.answer(SUBMIT_PATH, answer, method="POST", status=status)
        with pytest.raises(SiteError) as refused:
            await backend.submit(run())
    error = refused.value
    assert (type(error), error.code, error.permanent, error.sent) == (kind, code, permanent, sent)
    assert TOKEN not in str(error)
    assert "Secret12345x" not in str(error)


@pytest.mark.parametrize(
    ("status", "code", "permanent", "sent"),
    [
        (200, "answer_unreadable", False, "all"),
        (502, "answer_not_json", False, "all"),
        (504, "answer_not_json", False, "all"),
        (413, "upload_too_large", True, "nothing"),
        (404, "answer_not_json", False, "nothing"),
    ],
)
async def test_a_proxys_page_tells_nothing_of_the_job(status: int, code: str, permanent: bool, sent: str) -> None:
    async with run_site() as site, open_michigan(site.base_url, app=APP) as backend:
        site.answer(SUBMIT_PATH, method="POST", status=status, **PAGE)
        with pytest.raises(SiteError) as refused:
            await backend.submit(run())
    assert (refused.value.code, refused.value.permanent, refused.value.sent) == (code, permanent, sent)


async def test_maintenance_carries_the_sites_wish() -> None:
    async with run_site() as site, open_michigan(site.base_url, app=APP) as backend:
        headers = {"Retry-After": "90"}
        site.answer(SUBMIT_PATH, own_error("maintenance"), method="POST", status=503, headers=headers)
        with pytest.raises(SiteUnavailableError) as refused:
            await backend.submit(run())
    assert refused.value.retry_after_s == 90


@pytest.mark.parametrize("valid", [True, False])
async def test_a_404_of_the_application_looks_at_the_token_first(valid: bool) -> None:
    async with run_site() as site, open_michigan(site.base_url, app=APP) as backend:
        site.answer("/api/v2/tokens/verify", {"valid": valid, "message": "m"}, method="POST")
        site.answer(SUBMIT_PATH, own_error(f"Application '{APP}' not found."), method="POST", status=404)
        with pytest.raises(SiteError) as refused:
            await backend.submit(run())
    assert refused.value.code == ("application_unknown" if valid else "credential_refused")
    assert (refused.value.permanent, refused.value.sent) == (True, "nothing")


async def test_a_redirected_submission_is_not_followed() -> None:
    async with run_site() as site, run_site() as other, open_michigan(site.base_url, app=APP) as backend:
        location = {"Location": other.base_url + SUBMIT_PATH}
        site.answer(SUBMIT_PATH, method="POST", status=307, headers=location)
        with pytest.raises(SiteError) as refused:
            await backend.submit(run())
    assert (refused.value.code, refused.value.whose) == ("redirected", "platform")
    assert other.seen == []


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

    settings: dict[str, Any] = {"request_timeout_s": 0.2, "connect_timeout_s": 0.2, "app": APP}
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
