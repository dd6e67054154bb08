"""Answers that no server should give: each is told as the site's own trouble, never as a fault of the platform."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from microservices.backends.base import SiteError, SiteFile, SiteUnavailableError
from tests.backends import shapes
from tests.backends.shapes import JOB, job, running_steps
from tests.backends.stub_site import open_michigan, own_error, run_raw_site, run_site

JOB_PATH = f"/api/v2/jobs/{JOB}"
LINK = "/share/results/abc/chr_1.zip"


@pytest.mark.parametrize("digits", [400, 5000])
async def test_numbers_without_end_are_no_progress_and_no_size(digits: int) -> None:
    number = "9" * digits
    async with run_site() as site, open_michigan(site.base_url) as backend:
        site.answer(JOB_PATH, job(2, 0, steps=running_steps(f"Imputation ({number}/{number})")))
        progress = (await backend.status(JOB)).progress
        assert progress is not None
        assert 0 < progress < 100
        site.answer(JOB_PATH, job(4, -1, outputParams=shapes.outputs(("chr_1.zip", "h", f"{number} MB", 1))))
        assert (await backend.results(JOB))[0].size_range is None


@pytest.mark.parametrize(
    "told", ["Fri, 31 Dec 99999999999999999999 23:59:59 GMT", "Fri, 31 Dec 2100 23:59:59 +9999999999"]
)
async def test_a_wish_for_a_day_that_no_calendar_has_is_none(told: str) -> None:
    async with run_site() as site, open_michigan(site.base_url) as backend:
        site.answer(JOB_PATH, own_error("busy"), status=503, headers={"Retry-After": told})
        with pytest.raises(SiteUnavailableError) as refused:
            await backend.status(JOB)
    assert refused.value.retry_after_s is None


@pytest.mark.parametrize(
    "location",
    [
        "http://a..b/x",
        "http://" + "a" * 70 + ".example.org/x",
        "http://127.0.0.1:99999/x",
        "http://127.0.0.1:abc/x",
        "http://xn--/x",
        "http://h\udcff/x",
        "http://[::1/x",
        "http:///x",
    ],
)
async def test_a_redirect_to_what_is_no_address_is_refused(location: str, tmp_path: Path) -> None:
    async def redirect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " + location.encode(errors="surrogateescape")
        writer.write(head + b"\r\n\r\n")
        await writer.drain()

    async with run_raw_site(redirect) as address, open_michigan(address) as backend:
        with pytest.raises(SiteError):
            await backend.fetch(SiteFile("chr_1.zip", "imputed_data", LINK), tmp_path / "f")
    assert not (tmp_path / "f").exists()


@pytest.mark.parametrize("files", [[{"name": "chr_1.zip", "hash": None}], "none", [3]])
async def test_a_strange_list_of_results_hides_no_state(files: Any) -> None:
    async with run_site() as site, open_michigan(site.base_url) as backend:
        site.answer(JOB_PATH, job(4, -1, outputParams=[{"name": "output", "files": files}]))
        assert (await backend.status(JOB)).state == "succeeded"
        with pytest.raises(SiteUnavailableError) as refused:
            await backend.results(JOB)
    assert refused.value.code == "answer_unreadable"


async def test_what_a_site_tells_of_another_job_is_not_believed_of_ours() -> None:
    async with run_site() as site, open_michigan(site.base_url) as backend:
        site.answer(JOB_PATH, job(4, -1, id="job-20200101-000000-000"))
        for ask in (backend.status, backend.results):
            with pytest.raises(SiteUnavailableError) as refused:
                await ask(JOB)
            assert refused.value.code == "answer_unreadable"


async def test_of_messages_without_end_the_last_are_kept() -> None:
    told = [(f"chunk {number}", 0) for number in range(1000)]
    async with run_site() as site, open_michigan(site.base_url) as backend:
        site.answer(JOB_PATH, job(2, 0, steps=[shapes.step("Imputation", *told)]))
        messages = (await backend.status(JOB)).messages
    assert (len(messages), messages[-1].text) == (200, "chunk 999")


async def test_a_log_that_is_moved_is_not_followed_with_the_token() -> None:
    async with run_site() as site, run_site() as other, open_michigan(site.base_url) as backend:
        site.answer(f"/logs/{JOB}", status=302, headers={"Location": f"{other.base_url}/log"})
        other.answer("/log", text="from elsewhere")
        with pytest.raises(SiteError) as refused:
            await backend.failure_log(JOB)
    assert (refused.value.code, other.seen) == ("redirected", [])


async def test_a_cookie_of_the_site_is_not_kept() -> None:
    async with run_site() as site:
        site.answer(JOB_PATH, job(2, 0), headers={"Set-Cookie": "cloudgene-token=x; Path=/"})
        async with open_michigan(site.base_url.replace("127.0.0.1", "localhost")) as backend:
            await backend.status(JOB)
            await backend.status(JOB)
    assert ["Cookie" in request.headers for request in site.seen] == [False, False]


async def test_a_proxy_of_the_environment_sees_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    async with run_site() as site, open_michigan(site.base_url) as backend:
        site.answer(JOB_PATH, job(2, 0))
        assert (await backend.status(JOB)).state == "running"
