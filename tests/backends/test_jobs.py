"""Following a job: states, progress, messages, the list, cancelling, the log."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web

from microservices.backends.base import (
    CredentialRefusedError,
    JobNotFoundError,
    SiteError,
    SiteJob,
    SiteUnavailableError,
)
from tests.backends.shapes import JOB, cloudgene2_job, job, running_steps, step
from tests.backends.stub_site import framework_error, open_michigan, own_error, run_site

JOB_PATH = f"/api/v2/jobs/{JOB}"
CANCELLED = [step("Summary", ("Pipeline execution canceled.", 1))]


async def read(document: dict[str, Any]) -> SiteJob:
    async with run_site() as site, open_michigan(site.base_url) as backend:
        site.answer(JOB_PATH, document)
        return await backend.status(JOB)


@pytest.mark.parametrize(
    ("document", "state"),
    [
        (job(1, 3), "waiting"),
        (job(2, 0), "running"),
        (job(3, 0), "finishing"),
        (job(4, 0), "finishing"),
        (job(4, -1), "succeeded"),
        (job(5, -1), "failed"),
        (job(5, 0, steps=CANCELLED), "finishing"),
        (job(5, -1, steps=CANCELLED), "failed"),
        (job(6, -1), "cancelled"),
        (job(7, -1), "gone"),
        (job(8, -1), "succeeded"),
        (job(9, -1), "failed"),
        (job(9, -1, steps=CANCELLED), "cancelled"),
        (job(9, -1, steps=[step("Summary", ("Imputation job canceled.", 1))]), "failed"),
        (job(10, -1), "gone"),
        (job(-1, -1), "dead"),
        (job(42, 0), "running"),
        (cloudgene2_job(4, complete=False), "finishing"),
        (cloudgene2_job(4), "succeeded"),
        (cloudgene2_job(1, complete=False, setupRunning=True), "running"),
        (cloudgene2_job(5, canceld=True), "cancelled"),
        (cloudgene2_job(5, complete=False, canceld=True), "finishing"),
        (cloudgene2_job(5), "failed"),
    ],
)
async def test_a_state_has_its_meaning(document: dict[str, Any], state: str) -> None:
    assert (await read(document)).state == state


async def test_a_waiting_job_tells_its_place_its_mark_and_its_time() -> None:
    found = await read(job(1, 3))
    assert (found.external_job_id, found.mark, found.external_status) == (JOB, "ih-mark-1", "waiting")
    assert (found.queue_position, found.progress) == (3, 0.0)
    assert found.submitted_at == datetime.fromtimestamp(1795352098.111, UTC)
    assert (await read(job(2, 0))).queue_position is None


async def test_messages_are_plain_text_with_levels() -> None:
    steps = [
        step(
            "Quality Control",
            ("<b>Statistics:</b><br>SNPs call rate &lt; 90%: 0", 0),
            ("4 Chunk(s) excluded: < 3 SNPs", 2),
        ),
        step(
            "Summary",
            ("<style>b { color: red }</style>Pipeline <i>failed</i>.", 1),
            ("Processing data...", 3),
            ("<br>", 0),
        ),
    ]
    found = await read(job(5, -1, steps=steps))
    assert [(m.step, m.level, m.text) for m in found.messages] == [
        ("Quality Control", "info", "Statistics:\nSNPs call rate < 90%: 0"),
        ("Quality Control", "warning", "4 Chunk(s) excluded: < 3 SNPs"),
        ("Summary", "error", "Pipeline failed."),
        ("Summary", "running", "Processing data..."),
    ]


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ("We encrypted the results with the following password: <b>AbC9x!k,m2#qRs</b>", "following password: hidden"),
        ("All results are encrypted with password <b>AbC9x!k;m2#qRs</b>", "encrypted with password hidden"),
        ("Results have password protection", "Results have password protection"),
    ],
)
async def test_a_password_in_a_message_is_hidden(told: str, shown: str) -> None:
    found = await read(job(4, -1, steps=[step("Summary", (told, 0))]))
    assert found.messages[0].text.endswith(shown)


async def test_progress_rises_over_the_life_of_a_good_job() -> None:
    phased, imputed = "Phasing with Eagle (4/4)", "Imputation (4/4)"
    life = [
        job(1, 2),
        job(2, 0, steps=[step("Input Validation", ("Processing data...", 3)), step("Quality Control")]),
        job(2, 0, steps=running_steps()),
        job(2, 0, steps=running_steps("Phasing with Eagle (0/4)")),
        job(2, 0, steps=running_steps("Phasing with Eagle (2/4)")),
        job(2, 0, steps=running_steps("Phasing with Eagle (2/4)", "Imputation (1/2)")),
        job(2, 0, steps=running_steps(phased, "Imputation (2/4)")),
        job(2, 0, steps=running_steps(phased, imputed)),
        job(2, 0, steps=running_steps(phased, imputed, "Compression and Encryption (1/1)")),
        job(3, 0),
        job(4, -1),
    ]  # fmt: skip
    told = [(await read(document)).progress for document in life]
    known = [value for value in told if value is not None]
    assert len(known) == len(life)
    assert known == sorted(known)
    assert len(set(known)) == len(life), told
    assert (known[0], known[-1]) == (0.0, 100.0)


@pytest.mark.parametrize(
    ("counters", "least", "most"),
    [
        (("Phasing with Eagle (2)",), 10, 20),
        (("Imputation (1/2)",), 60, 70),
        (("Imputation (9/2)",), 80, 99),
        (("Imputation (0/0)",), 10, 45),
    ],
)
async def test_counters_may_be_odd(counters: tuple[str, ...], least: float, most: float) -> None:
    progress = (await read(job(2, 0, steps=running_steps(*counters)))).progress
    assert progress is not None
    assert least <= progress <= most


async def test_a_job_that_says_nothing_has_no_progress() -> None:
    assert (await read(job(2, 0))).progress is None
    assert (await read(cloudgene2_job(2, complete=False))).progress is None


async def test_cloudgene_2_steps_count_as_they_begin() -> None:
    steps = [step("Input Validation", ("fine", 0)), step("Pre-phasing and Imputation", ("chr 20", 3))]
    assert (await read(cloudgene2_job(2, complete=False, steps=steps))).progress == 10


async def test_a_lost_job_is_lost_only_when_the_site_itself_says_so() -> None:
    async with run_site() as site, open_michigan(site.base_url) as backend:
        site.answer(JOB_PATH, own_error(f"Job {JOB} not found."), status=404)
        with pytest.raises(JobNotFoundError):
            await backend.status(JOB)
        site.answer(JOB_PATH, status=404, text="<html>nothing here</html>", content_type="text/html")
        with pytest.raises(SiteUnavailableError):
            await backend.status(JOB)
        site.answer(JOB_PATH, own_error("This functionality is currently under maintenance."), status=503)
        with pytest.raises(SiteUnavailableError, match="maintenance"):
            await backend.status(JOB)


@pytest.mark.parametrize(("valid", "code"), [(True, "access_denied"), (False, "credential_refused")])
async def test_access_denied_looks_at_the_token(valid: bool, code: str) -> None:
    async with run_site() as site, open_michigan(site.base_url) as backend:
        site.answer(JOB_PATH, own_error("Access denied."), status=403)
        site.answer("/api/v2/tokens/verify", {"valid": valid, "message": "m"}, method="POST")
        with pytest.raises(SiteError) as refused:
            await backend.status(JOB)
    assert refused.value.code == code


async def test_a_revoked_token_and_a_strange_answer_are_told_apart() -> None:
    async with run_site() as site, open_michigan(site.base_url) as backend:
        site.answer(JOB_PATH, framework_error("Forbidden"), status=403)
        with pytest.raises(CredentialRefusedError):
            await backend.status(JOB)
        site.answer(JOB_PATH, {"id": JOB, "state": "unheard of", "name": "secret-name"})
        with pytest.raises(SiteUnavailableError, match="state") as refused:
            await backend.status(JOB)
    assert "unheard" not in refused.value.message


def numbered(number: int) -> dict[str, Any]:
    return job(4, -1, id=f"job-20261122-{number:06d}-111", name=f"mark-{number}")


def paged(jobs: list[dict[str, Any]], *, explicit_null: bool = True) -> Callable[[web.Request], Any]:
    async def answer(request: web.Request) -> web.Response:
        page = int(request.query["page"])
        pages = -(-len(jobs) // 15)
        document = {"count": len(jobs), "page": page, "pages": [], "data": jobs[(page - 1) * 15 : page * 15]}
        if page < pages:
            document["next"] = page + 1
        elif explicit_null:
            document["next"] = None
        return web.json_response(document)

    return answer


@pytest.mark.parametrize("explicit_null", [True, False])
@pytest.mark.parametrize("count", [0, 15, 31])
async def test_all_pages_are_listed_newest_first(count: int, explicit_null: bool) -> None:
    jobs = [numbered(number) for number in range(count, 0, -1)]
    async with run_site() as site, open_michigan(site.base_url) as backend:
        site.handle("/api/v2/jobs", paged(jobs, explicit_null=explicit_null))
        listed = [found async for found in backend.list_jobs()]
    assert [found.mark for found in listed] == [f"mark-{number}" for number in range(count, 0, -1)]
    assert site.count("/api/v2/jobs") == max(1, -(-count // 15))


@pytest.mark.parametrize(
    "document",
    [
        {"count": 100, "next": 2, "data": [numbered(1), numbered(2)]},
        {"count": 100, "next": None, "data": [numbered(1)]},
    ],
)
async def test_a_list_that_cannot_be_trusted_is_not_taken_for_complete(document: dict[str, Any]) -> None:
    async with run_site() as site, open_michigan(site.base_url) as backend:
        site.answer("/api/v2/jobs", document)
        with pytest.raises(SiteError) as refused:
            _ = [found async for found in backend.list_jobs()]
    assert (refused.value.code, refused.value.permanent) == ("listing_inconsistent", False)
    assert len(site.seen) <= 2


async def test_cancelling_gives_the_job_as_the_site_then_tells_it() -> None:
    async with run_site() as site, open_michigan(site.base_url) as backend:
        site.answer(f"{JOB_PATH}/cancel", job(6, -1))
        assert (await backend.cancel(JOB)).state == "cancelled"


async def test_cancelling_a_finished_job_of_cloudgene_2_reads_it_instead() -> None:
    async with run_site() as site, open_michigan(site.base_url) as backend:
        site.answer(f"{JOB_PATH}/cancel", own_error(f"Job {JOB} not found."), status=404)
        site.answer(JOB_PATH, cloudgene2_job(4))
        assert (await backend.cancel(JOB)).state == "succeeded"


async def test_the_failure_log_is_the_plain_tail_without_the_password() -> None:
    reason = "<b>Application X is not installed or wrong permissions.</b>\n"
    log = "old\n" * 100_000 + "Inputs:\n  password: Secret12345x\n" + reason
    async with run_site() as site, open_michigan(site.base_url) as backend:
        site.answer(f"/logs/{JOB}", text=log)
        found = await backend.failure_log(JOB)
    assert found.endswith("Application X is not installed or wrong permissions.")
    assert len(found) < 70_000
    assert "Secret12345x" not in found
    assert site.seen[0].token is not None


async def test_a_log_that_is_refused_says_why() -> None:
    async with run_site() as site, open_michigan(site.base_url) as backend:
        site.answer(f"/logs/{JOB}", own_error(f"Job {JOB} not found."), status=404)
        with pytest.raises(JobNotFoundError):
            await backend.failure_log(JOB)


async def test_a_huge_answer_does_not_fill_the_memory() -> None:
    async with run_site() as site, open_michigan(site.base_url) as backend:
        site.answer(JOB_PATH, text="[" + " " * (33 * 1024**2))
        with pytest.raises(SiteUnavailableError) as refused:
            await backend.status(JOB)
    assert refused.value.code == "answer_too_large"


async def test_a_drip_that_never_ends_is_given_up() -> None:
    async def drip(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(100):
            await response.write(b" ")
            await asyncio.sleep(0.05)
        return response

    settings: dict[str, Any] = {"request_timeout_s": 0.3, "connect_timeout_s": 0.3}
    async with run_site() as site, open_michigan(site.base_url, **settings) as backend:
        site.handle(JOB_PATH, drip)
        with pytest.raises(SiteUnavailableError) as refused:
            await backend.status(JOB)
    assert refused.value.code == "timeout"


async def test_a_place_in_the_queue_that_nobody_can_have_is_no_news() -> None:
    with pytest.raises(SiteUnavailableError) as refused:
        await read(job(1, 2**40))
    assert refused.value.code == "answer_unreadable"
