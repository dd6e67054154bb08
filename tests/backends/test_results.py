"""Results: what is offered, and fetching it exactly once."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from microservices.backends.base import ResultRefusedError, SiteError, SiteFile, SiteUnavailableError
from microservices.backends.session import Deadlines
from tests.backends import shapes
from tests.backends.shapes import JOB, cloudgene2_job, job
from tests.backends.stub_site import open_michigan, own_error, run_raw_site, run_site

HASH = "7a5d" * 16
PATH = f"/share/results/{HASH}/chr_20.zip"
CONTENT = bytes(range(256)) * 12_000


def offered(size_range: tuple[int, int] | None = None, locator: str = PATH, filename: str = "chr_20.zip") -> SiteFile:
    return SiteFile(filename, "imputed_data", locator, size_range)


async def stream_content(request: web.Request) -> web.StreamResponse:
    """As Cloudgene 3 does from local storage: chunked, no length, a type that says nothing."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    response.enable_chunked_encoding()
    await response.prepare(request)
    for start in range(0, len(CONTENT), 100_000):
        await response.write(CONTENT[start : start + 100_000])
    return response


async def test_offered_files_tell_kind_size_bounds_and_what_is_left() -> None:
    files = shapes.outputs(
        ("chr_20.zip", HASH, "82 MB", 10),
        ("statistics/snps-excluded.txt", "aa", "402 bytes", -1),
        ("qc_report.txt", "bb", "1 KB", 0),
        ("quality-control.html", "cc", "?", 3),
        ("pipeline.log", "dd", "7 bytes", 3),
    )
    server_logs = {"name": "cloudgene_logs", "files": [{"name": "job.txt", "hash": "zz", "size": "1 KB", "count": 1}]}
    older_logs = {**server_logs, "name": "hadooplogs"}
    async with run_site() as site, open_michigan(site.base_url) as backend:
        site.answer(f"/api/v2/jobs/{JOB}", job(4, -1, outputParams=[*files, server_logs, older_logs]))
        found = await backend.results(JOB)
    assert [(f.filename, f.kind, f.size_range, f.downloads_left) for f in found] == [
        ("chr_20.zip", "imputed_data", (82 * 1024**2, 83 * 1024**2 - 1), 10),
        ("statistics/snps-excluded.txt", "metadata", (402, 402), None),
        ("qc_report.txt", "quality_report", (1024, 2047), 0),
        ("quality-control.html", "quality_report", None, 3),
        ("pipeline.log", "log", (7, 7), 3),
    ]
    assert HASH not in repr(found)


async def test_cloudgene_2_files_without_count_have_no_limit() -> None:
    outputs = [{"name": "local", "files": [{"name": "chr_1.zip", "path": "p", "hash": "h", "size": "3 MB"}]}]
    async with run_site() as site, open_michigan(site.base_url) as backend:
        site.answer(f"/api/v2/jobs/{JOB}", cloudgene2_job(4, outputParams=outputs))
        (found,) = await backend.results(JOB)
    assert (found.filename, found.kind, found.downloads_left) == ("chr_1.zip", "imputed_data", None)


async def test_results_of_a_retired_job_are_gone() -> None:
    async with run_site() as site, open_michigan(site.base_url) as backend:
        site.answer(f"/api/v2/jobs/{JOB}", job(7, -1, outputParams=shapes.outputs(("chr_20.zip", HASH, "1 MB", 1))))
        with pytest.raises(ResultRefusedError) as refused:
            await backend.results(JOB)
    assert (refused.value.code, refused.value.permanent) == ("results_gone", True)


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "a/./b", "a\\b", "C:/x", "a//b", "x\n.txt"])
async def test_an_unsafe_name_is_refused(name: str) -> None:
    async with run_site() as site, open_michigan(site.base_url) as backend:
        site.answer(f"/api/v2/jobs/{JOB}", job(4, -1, outputParams=shapes.outputs((name, "h", "1 MB", 1))))
        with pytest.raises(ResultRefusedError) as refused:
            await backend.results(JOB)
    assert refused.value.code == "filename_unsafe"


async def test_a_name_may_tell_a_region() -> None:
    name = "chr20:1-5000.dose.vcf.gz"
    async with run_site() as site, open_michigan(site.base_url) as backend:
        site.answer(f"/api/v2/jobs/{JOB}", job(4, -1, outputParams=shapes.outputs((name, "h", "1 MB", 1))))
        assert [file.filename for file in await backend.results(JOB)] == [name]


async def test_a_file_is_fetched_with_one_get_and_without_the_token(tmp_path: Path) -> None:
    async with run_site() as site, open_michigan(site.base_url) as backend:
        site.handle(PATH, stream_content)
        await backend.fetch(offered((2 * 1024**2, 3 * 1024**2 - 1)), tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == CONTENT
    assert [(request.method, request.path, request.token) for request in site.seen] == [("GET", PATH, None)]


@pytest.mark.parametrize("size_range", [(0, 1000), (len(CONTENT) + 1, len(CONTENT) * 2)])
async def test_a_size_outside_the_rounding_is_refused_and_nothing_stays(
    size_range: tuple[int, int], tmp_path: Path
) -> None:
    async with run_site() as site, open_michigan(site.base_url) as backend:
        site.handle(PATH, stream_content)
        with pytest.raises(ResultRefusedError) as refused:
            await backend.fetch(offered(size_range), tmp_path / "f")
    assert (refused.value.code, refused.value.permanent) == ("size_mismatch", False)
    assert not (tmp_path / "f").exists()


@pytest.mark.parametrize(
    ("status", "words", "code", "permanent"),
    [
        (404, "download not found.", "result_not_ready", False),
        (404, "File not found in workspace.", "results_gone", True),
        (400, "number of max downloads exceeded.", "downloads_exhausted", True),
        (503, "This functionality is currently under maintenance.", "maintenance", False),
    ],
)
async def test_a_refused_download_says_why(status: int, words: str, code: str, permanent: bool, tmp_path: Path) -> None:
    async with run_site() as site, open_michigan(site.base_url) as backend:
        site.answer(PATH, own_error(words), status=status)
        with pytest.raises(SiteError) as refused:
            await backend.fetch(offered(), tmp_path / "f")
    assert (refused.value.code, refused.value.permanent) == (code, permanent)
    assert HASH not in refused.value.message
    assert site.count(PATH) == 1


async def test_a_page_instead_of_a_file_is_an_outage(tmp_path: Path) -> None:
    async with run_site() as site, open_michigan(site.base_url) as backend:
        site.answer(PATH, text="<html>maintenance</html>", content_type="text/html")
        with pytest.raises(SiteUnavailableError):
            await backend.fetch(offered(), tmp_path / "f")
        report = offered(filename="quality-control.html")
        await backend.fetch(report, tmp_path / "q")
    assert (tmp_path / "q").read_text() == "<html>maintenance</html>"


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nhello",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello",
    ],
)
async def test_a_download_that_breaks_off_is_no_file_and_is_not_repeated(answer: bytes, tmp_path: Path) -> None:
    asked: list[bytes] = []

    async def break_off(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(answer)
        await writer.drain()

    async with run_raw_site(break_off) as address, open_michigan(address) as backend:
        with pytest.raises(SiteUnavailableError) as refused:
            await backend.fetch(offered(), tmp_path / "f")
    assert not refused.value.permanent
    assert len(asked) == 1
    assert not (tmp_path / "f").exists()


async def test_a_stalled_download_is_given_up_after_the_idle_deadline(tmp_path: Path) -> None:
    async def stall(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
        await asyncio.sleep(5)

    deadlines = Deadlines(download_idle_s=0.3)
    async with run_raw_site(stall) as address, open_michigan(address, deadlines=deadlines) as backend:
        with pytest.raises(SiteUnavailableError) as refused:
            await backend.fetch(offered(), tmp_path / "f")
    assert refused.value.code == "timeout"


async def test_a_slow_download_outlives_the_ordinary_deadlines(tmp_path: Path) -> None:
    async def trickle(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(6):
            await response.write(b"x" * 10)
            await asyncio.sleep(0.1)
        return response

    settings: dict[str, Any] = {"request_timeout_s": 0.2}
    async with run_site() as site, open_michigan(site.base_url, **settings) as backend:
        site.handle(PATH, trickle)
        await backend.fetch(offered((60, 60)), tmp_path / "f")
    assert (tmp_path / "f").stat().st_size == 60


@pytest.mark.parametrize("status", [301, 302, 307])
async def test_a_presigned_address_is_followed_untouched_and_without_the_token(status: int, tmp_path: Path) -> None:
    query = "X-Amz-Signature=a%2Fb%2Bc%3D%3D&X-Amz-Date=20261122T125458Z&name=chr%2020.zip"
    raw: list[str] = []

    async def give(request: web.Request) -> web.StreamResponse:
        raw.append(request.raw_path)
        return await stream_content(request)

    async with run_site() as site, run_site() as storage, open_michigan(site.base_url) as backend:
        location = f"{storage.base_url}/bucket/chr_20.zip?{query}"
        site.answer(PATH, status=status, headers={"Location": location})
        storage.handle("/bucket/chr_20.zip", give)
        await backend.fetch(offered(), tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == CONTENT
    assert raw == [f"/bucket/chr_20.zip?{query}"]
    assert "X-Auth-Token" not in storage.seen[0].headers
    assert "Referer" not in storage.seen[0].headers
    assert site.count(PATH) == 1


@pytest.mark.parametrize(
    ("location", "code"),
    [("", "redirect_unsafe"), ("file:///etc", "redirect_unsafe"), (PATH, "redirect_unsafe"), ("/a", "redirected")],
)
async def test_a_redirect_to_nowhere_useful_is_refused(location: str, code: str, tmp_path: Path) -> None:
    async with run_site() as site, open_michigan(site.base_url) as backend:
        site.answer(PATH, status=301, headers={"Location": location})
        for path in ("/a", "/b"):
            site.answer(path, status=302, headers={"Location": "/b" if path == "/a" else "/a"})
        with pytest.raises(SiteError) as refused:
            await backend.fetch(offered(), tmp_path / "f")
    assert refused.value.code == code
    assert site.count(PATH) == 1


async def test_a_disk_that_cannot_be_written_is_the_platforms(tmp_path: Path) -> None:
    async with run_site() as site, open_michigan(site.base_url) as backend:
        site.handle(PATH, stream_content)
        with pytest.raises(SiteError) as refused:
            await backend.fetch(offered(), tmp_path / "nowhere" / "f")
    assert (refused.value.code, refused.value.whose) == ("spool_unwritable", "platform")
