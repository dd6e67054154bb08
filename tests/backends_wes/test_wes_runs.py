"""How runs are watched, listed and cancelled, and why one failed, with each server's habits."""

from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web

from microservices.backends.base import CredentialRefusedError, JobNotFoundError, SiteError, SiteUnavailableError
from microservices.backends.ga4gh_wes import WesBackend
from tests.backends.stub_site import StubSite, run_site
from tests.backends_wes import dialects
from tests.backends_wes.dialects import RUN
from tests.backends_wes.wes_stub import BASE, MARK, TOKEN, open_wes

RUNS, LOG, STATUS, CANCEL = (
    f"{BASE}/runs",
    f"{BASE}/runs/{RUN}",
    f"{BASE}/runs/{RUN}/status",
    f"{BASE}/runs/{RUN}/cancel",
)


def tell(site: StubSite, state: str) -> None:
    site.answer(STATUS, {"run_id": RUN, "state": state})


@pytest.mark.parametrize(
    ("state", "expected", "progress"),
    [
        ("QUEUED", "waiting", None),
        ("INITIALIZING", "running", None),
        ("RUNNING", "running", None),
        ("PAUSED", "running", None),
        ("CANCELING", "running", None),
        ("COMPLETE", "succeeded", 100.0),
        ("EXECUTOR_ERROR", "failed", None),
        ("SYSTEM_ERROR", "dead", None),
        ("PREEMPTED", "dead", None),
        ("CANCELED", "cancelled", None),
        ("DELETED", "gone", None),
    ],
)
async def test_every_state_has_its_meaning(state: str, expected: str, progress: float | None) -> None:
    async with run_site() as site, open_wes(site.base_url, token=TOKEN) as backend:
        tell(site, state)
        job = await backend.status(RUN)
        assert (job.external_job_id, job.state, job.external_status, job.progress) == (RUN, expected, state, progress)
        assert site.seen[0].headers["Authorization"] == f"Bearer {TOKEN}"


async def test_no_log_is_asked_for_before_the_end() -> None:
    """WESkit answers it with 500 until then."""
    async with run_site() as site, open_wes(site.base_url) as backend:
        tell(site, "RUNNING")
        await backend.status(RUN)
        assert site.count(LOG) == 0


async def test_a_site_that_gives_a_run_up_says_why() -> None:
    async with run_site() as site, open_wes(site.base_url) as backend:
        tell(site, "SYSTEM_ERROR")
        site.answer(LOG, {"run_id": RUN, "run_log": {"system_logs": ["disk full at https://s.example.org/f?sig=abc"]}})
        (message,) = (await backend.status(RUN)).messages
        assert (message.level, message.text) == ("error", "disk full at https://s.example.org/f?...")


@pytest.mark.parametrize(
    "answer",
    [
        {"document": {"run_id": RUN, "state": "UNKNOWN"}},
        {"document": {"run_id": RUN, "state": "DREAMING"}},
        {"document": {"msg": "Could not load WES run status", "status_code": 400}, "status": 400},
        {"document": {"msg": "Not Found", "status_code": 404}, "status": 404},
        {"document": {"detail": "Not Found"}, "status": 404},
        {"document": {"msg": "boom", "status_code": 500}, "status": 500},
        {"text": "<html>404</html>", "status": 404},
        {"text": "<html>oops</html>", "status": 500},
        {"text": "<html>maintenance</html>"},
        {"document": {"state": ["RUNNING"]}},
    ],
)
async def test_what_says_nothing_of_the_run_is_no_news(answer: dict[str, Any]) -> None:
    async with run_site() as site, open_wes(site.base_url) as backend:
        site.answer(STATUS, **answer)
        with pytest.raises(SiteUnavailableError):
            await backend.status(RUN)


@pytest.mark.parametrize("words", [f"No WES Run by the id: {RUN}", f"Could not find '{RUN}'", "Run ID not found: x"])
async def test_a_run_is_unknown_when_the_server_itself_says_so(words: str) -> None:
    async with run_site() as site, open_wes(site.base_url) as backend:
        site.answer(STATUS, {"msg": words, "status_code": 404}, status=404)
        with pytest.raises(JobNotFoundError):
            await backend.status(RUN)


async def test_another_s_run_and_a_refused_token_are_told_apart() -> None:
    async with run_site() as site, open_wes(site.base_url, token=TOKEN) as backend:
        site.answer(STATUS, {"msg": "not yours", "status_code": 403}, status=403)
        with pytest.raises(SiteError) as refused:
            await backend.status(RUN)
        assert refused.value.code == "access_denied"
        site.answer(STATUS, {"msg": f"bad {TOKEN}", "status_code": 401}, status=401)
        with pytest.raises(CredentialRefusedError) as denied:
            await backend.status(RUN)
        assert TOKEN not in denied.value.message


async def list_marks(backend: WesBackend) -> dict[str, str]:
    return {job.external_job_id: job.mark async for job in backend.list_jobs()}


async def test_all_pages_of_a_1_1_list_are_read_with_their_tags() -> None:
    pages = {
        "": {"runs": [entry("a", {"imputehub": MARK}), entry("b", {})], "next_page_token": "p=2&x"},
        "p=2&x": {"runs": [], "next_page_token": "3"},
        "3": {"runs": [entry("c", {"imputehub": 7})]},
    }

    async def page(request: web.Request) -> web.Response:
        assert int(request.query["page_size"]) <= 1000
        return web.json_response(pages[request.query.get("page_token", "")])

    async with run_site() as site, open_wes(site.base_url) as backend:
        site.answer(f"{BASE}/service-info", dialects.SPECIFICATION_1_1)
        site.handle(RUNS, page)
        jobs = [job async for job in backend.list_jobs()]
        assert [(job.external_job_id, job.mark) for job in jobs] == [("a", MARK), ("b", ""), ("c", "")]
        assert jobs[0].submitted_at == datetime(2026, 11, 22, 12, 54, 58, tzinfo=UTC)


def entry(run_id: str, tags: dict[str, Any]) -> dict[str, Any]:
    return {"run_id": run_id, "state": "RUNNING", "start_time": "2026-11-22T12:54:58Z", "end_time": "", "tags": tags}


@pytest.mark.parametrize(("info", "key"), [(dialects.TOIL, "workflows"), (dialects.WESKIT, "runs")])
async def test_a_1_0_list_without_tags_is_completed_from_each_log(info: dict[str, Any], key: str) -> None:
    async with run_site() as site, open_wes(site.base_url) as backend:
        site.answer(f"{BASE}/service-info", info)
        listed = [{"run_id": name, "state": "RUNNING"} for name in ("ours", "theirs", "early")]
        site.answer(RUNS, {key: listed, "next_page_token": ""})
        site.answer(f"{RUNS}/ours", {"run_id": "ours", "request": {"tags": {"imputehub": MARK}}})
        site.answer(f"{RUNS}/theirs", {"run_id": "theirs", "request": None})
        site.answer(f"{RUNS}/early", text="<html>500</html>", status=500)
        assert await list_marks(backend) == {"ours": MARK, "theirs": "", "early": ""}
        assert [job.is_mark_known async for job in backend.list_jobs()] == [True, False, False]
        site.answer(f"{RUNS}/early", {"msg": "no token"}, status=401)
        with pytest.raises(CredentialRefusedError):
            await list_marks(backend)


async def test_a_list_of_states_asks_for_no_log_and_leaves_out_what_is_no_state() -> None:
    async with run_site() as site, open_wes(site.base_url) as backend:
        listed = {"a": "RUNNING", "b": "UNKNOWN", "c": "COMPLETE"}
        runs = [{"run_id": name, "state": state, "start_time": "2026-11-22T12:54:58"} for name, state in listed.items()]
        site.answer(RUNS, {"runs": runs})
        jobs = [job async for job in backend.list_states()]
    assert [(job.external_job_id, job.state, job.is_mark_known) for job in jobs] == [
        ("a", "running", False),
        ("c", "succeeded", False),
    ]
    assert jobs[0].submitted_at == datetime(2026, 11, 22, 12, 54, 58, tzinfo=UTC)
    assert [seen.path for seen in site.seen] == [RUNS]


async def test_a_list_without_unfinished_runs_proves_nothing() -> None:
    async with run_site() as site, open_wes(site.base_url) as backend:
        site.answer(f"{BASE}/service-info", dialects.STARTER_KIT)
        site.answer(RUNS, {"runs": []})
        with pytest.raises(SiteError) as refused:
            await list_marks(backend)
        assert refused.value.code == "listing_incomplete"


async def test_a_list_that_repeats_itself_is_not_believed() -> None:
    async with run_site() as site, open_wes(site.base_url) as backend:
        site.answer(f"{BASE}/service-info", dialects.SAPPORO)
        site.answer(RUNS, {"runs": [entry("a", {})], "next_page_token": "again"})
        with pytest.raises(SiteError) as refused:
            await list_marks(backend)
        assert refused.value.code == "listing_inconsistent"


async def test_a_cancel_is_a_request_and_the_state_decides() -> None:
    async with run_site() as site, open_wes(site.base_url) as backend:
        site.answer(CANCEL, {"run_id": RUN}, method="POST")
        tell(site, "CANCELING")
        assert (await backend.cancel(RUN)).state == "running"
        tell(site, "CANCELED")
        assert (await backend.cancel(RUN)).state == "cancelled"


@pytest.mark.parametrize(("status", "text"), [(200, ""), (500, "<html>not implemented</html>"), (404, "")])
async def test_a_site_that_cannot_cancel_is_told_of_honestly(status: int, text: str) -> None:
    async with run_site() as site, open_wes(site.base_url) as backend:
        site.answer(CANCEL, text=text, status=status, method="POST")
        tell(site, "RUNNING")
        job = await backend.cancel(RUN)
        assert job.state == "running"
        (warning,) = job.messages
        assert warning.level == "warning"
        assert warning.text.startswith("The site did not act on the request to cancel: the run goes on there.")


async def test_a_run_that_had_ended_before_its_cancel_has_ended() -> None:
    async with run_site() as site, open_wes(site.base_url) as backend:
        site.answer(CANCEL, {"msg": "cannot be canceled"}, status=403, method="POST")
        tell(site, "EXECUTOR_ERROR")
        job = await backend.cancel(RUN)
        assert (job.state, job.messages) == ("failed", ())


async def read_log(site: StubSite, base_url: str, **run_log: Any) -> str:
    async with open_wes(base_url, token=TOKEN) as backend:
        site.answer(LOG, {"run_id": RUN, "state": "EXECUTOR_ERROR", "run_log": run_log})
        return await backend.failure_log(RUN)


async def test_a_log_that_is_text_is_the_log() -> None:
    """As sapporo and wes-service give it; signed addresses lose what makes them work."""
    async with run_site() as site:
        words = "Your input data is unphased.\nsee https://files.example.org/f?signature=abc&x=1 again"
        log = await read_log(site, site.base_url, stderr=words, stdout="noise", exit_code=2)
        assert log == "Your input data is unphased.\nsee https://files.example.org/f?... again"
        assert await read_log(site, site.base_url, stderr="", stdout="on stdout") == "on stdout"
        assert await read_log(site, site.base_url, stderr=None, exit_code=137) == "Exit code 137."
        assert await read_log(site, site.base_url, stderr="killed", system_logs=["out of memory"]) == (
            "out of memory\nkilled"
        )


@pytest.mark.parametrize(
    ("told", "path", "answer"),
    [
        ("../../../../toil/wes/v1/logs/x/stderr", "/toil/wes/v1/logs/x/stderr", {"text": "it broke"}),
        (f"{BASE}/logs/nextflow/stderr/{RUN}", f"{BASE}/logs/nextflow/stderr/{RUN}", {"text": "it broke"}),
        (".weskit/2024-03-27/stderr", f"/weskit/v1/runs/{RUN}/stderr", {"document": {"content": ["it\n", "broke"]}}),
    ],
    ids=["toil", "starter kit", "weskit"],
)
async def test_a_log_that_is_a_path_is_fetched_from_the_server(told: str, path: str, answer: dict[str, Any]) -> None:
    async with run_site() as site:
        site.answer(path, **answer)
        log = await read_log(site, site.base_url, stderr=told)
        assert log.replace("\n", " ") == "it broke"
        assert site.seen[-1].headers["Authorization"] == f"Bearer {TOKEN}"


async def test_a_log_elsewhere_is_fetched_without_the_token() -> None:
    async with run_site() as site, run_site() as storage:
        storage.answer("/log", text="x" * 100_000 + "the end")
        log = await read_log(site, site.base_url, stderr=f"{storage.base_url}/log?sig=1")
        assert log.endswith("the end")
        assert len(log) == 64 * 1024
        assert "Authorization" not in storage.seen[0].headers


async def test_a_log_that_cannot_be_had_hides_nothing_else() -> None:
    async with run_site() as site:
        url = f"{site.base_url}/nowhere"
        assert await read_log(site, site.base_url, stderr=url, stdout="still here") == "still here"


async def test_an_ended_run_is_deleted_where_the_server_does_that() -> None:
    async with run_site() as site, open_wes(site.base_url) as backend:
        site.answer(f"{BASE}/service-info", dialects.SAPPORO)
        site.answer(LOG, {"run_id": RUN}, method="DELETE")
        await backend.delete(RUN)
        site.answer(LOG, {"msg": "Run not found", "status_code": 404}, method="DELETE", status=404)
        await backend.delete(RUN)
        site.answer(LOG, {"msg": "not yours", "status_code": 403}, method="DELETE", status=403)
        with pytest.raises(SiteError, match="not yours"):
            await backend.delete(RUN)
        site.answer(f"{BASE}/service-info", dialects.TOIL)
        with pytest.raises(SiteError) as refused:
            await backend.delete(RUN)
        assert (refused.value.code, sum(seen.method == "DELETE" for seen in site.seen)) == ("not_offered", 3)


async def test_no_server_is_asked_to_restart_a_run() -> None:
    async with run_site() as site, open_wes(site.base_url) as backend:
        with pytest.raises(SiteError) as refused:
            await backend.restart(RUN)
        assert (refused.value.code, site.seen) == ("not_offered", [])
