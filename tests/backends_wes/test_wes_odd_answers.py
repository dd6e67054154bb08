"""Answers that no server should give: each is told as the site's own trouble, never as a fault of the platform."""

import gzip
from pathlib import Path
from typing import Any

import pytest

from microservices.backends.base import ResultRefusedError, SiteError, SiteFile, SiteUnavailableError
from tests.backends.stub_site import run_site
from tests.backends_wes import dialects
from tests.backends_wes.dialects import RUN
from tests.backends_wes.wes_stub import BASE, TOKEN, open_wes

LOG, STATUS = f"{BASE}/runs/{RUN}", f"{BASE}/runs/{RUN}/status"


@pytest.mark.parametrize("place", ["http://127.0.0.1:99999/x", "http://127.0.0.1:abc/x", "http://xn--/x", "http:///x"])
async def test_an_output_at_what_is_no_address_cannot_be_fetched(place: str) -> None:
    async with run_site() as site, open_wes(site.base_url) as backend:
        site.answer(LOG, {"run_id": RUN, "outputs": {"wf.out": place}})
        with pytest.raises(ResultRefusedError) as refused:
            await backend.results(RUN)
    assert refused.value.code == "results_not_downloadable"


async def test_an_output_on_a_host_that_no_name_can_have_is_not_found(tmp_path: Path) -> None:
    async with run_site() as site, open_wes(site.base_url) as backend:
        with pytest.raises(SiteUnavailableError) as refused:
            await backend.fetch(SiteFile("x.txt", "metadata", "https://a..b/x.txt"), tmp_path / "f")
    assert refused.value.code == "name_unknown"


@pytest.mark.parametrize("told", ["http://127.0.0.1:99999/log", "http://a..b/log"])
async def test_a_log_at_what_is_no_address_leaves_the_rest_of_it(told: str) -> None:
    async with run_site() as site, open_wes(site.base_url) as backend:
        site.answer(LOG, {"run_id": RUN, "run_log": {"stderr": told, "system_logs": ["it broke"]}})
        assert (await backend.failure_log(RUN)).startswith("it broke")


async def test_what_a_site_tells_of_another_run_is_no_news_of_ours() -> None:
    async with run_site() as site, open_wes(site.base_url) as backend:
        site.answer(STATUS, {"run_id": "another", "state": "COMPLETE"})
        with pytest.raises(SiteUnavailableError) as refused:
            await backend.status(RUN)
    assert refused.value.code == "no_news"


async def test_a_log_that_is_moved_is_not_followed_with_the_token() -> None:
    async with run_site() as site, run_site() as other, open_wes(site.base_url, token=TOKEN) as backend:
        site.answer(LOG, {"run_id": RUN, "run_log": {"stderr": "logs/stderr", "stdout": "what it said"}})
        for path in (f"{BASE}/runs/logs/stderr", f"{LOG}/logs/stderr"):
            site.answer(path, status=302, headers={"Location": f"{other.base_url}/log"})
        other.answer("/log", text="from elsewhere")
        assert await backend.failure_log(RUN) == "what it said"
    assert other.seen == []


async def test_a_file_that_the_server_calls_coded_stays_as_it_lies_there(tmp_path: Path) -> None:
    """Web servers tell `.gz` files as coded, and would have them unpacked."""
    packed = gzip.compress(b"genotypes")
    headers = {"Content-Encoding": "gzip"}
    async with run_site() as site, open_wes(site.base_url) as backend:
        site.answer("/chr20.dose.vcf.gz", body=packed, headers=headers)
        site.answer("/report.txt", body=packed, headers=headers)
        for name, wanted in (("chr20.dose.vcf.gz", packed), ("report.txt", b"genotypes")):
            await backend.fetch(SiteFile(name, "metadata", f"{site.base_url}/{name}"), tmp_path / name)
            assert (tmp_path / name).read_bytes() == wanted


async def test_name_and_password_are_not_sent_along_a_redirect() -> None:
    async with run_site() as site, run_site() as other:
        site.answer("/token", method="POST", status=307, headers={"Location": f"{other.base_url}/token"})
        other.answer("/token", {"access_token": TOKEN}, method="POST")
        async with open_wes(site.base_url, token="alice:secret", token_url=f"{site.base_url}/token") as backend:
            with pytest.raises(SiteError):
                await backend.status(RUN)
    assert other.seen == []


@pytest.mark.parametrize(
    ("info", "answer", "warned"),
    [
        (dialects.SAPPORO, {"run_id": RUN}, False),
        (dialects.SAPPORO, {"message": "welcome"}, True),
        (dialects.WES_SERVICE, {"run_id": RUN}, True),
    ],
)
async def test_a_promise_to_cancel_is_worth_what_the_server_is(
    info: dict[str, Any], answer: dict[str, Any], warned: bool
) -> None:
    async with run_site() as site, open_wes(site.base_url) as backend:
        site.answer(f"{BASE}/service-info", info)
        site.answer(f"{LOG}/cancel", answer, method="POST")
        site.answer(STATUS, {"run_id": RUN, "state": "RUNNING"})
        assert bool((await backend.cancel(RUN)).messages) == warned
