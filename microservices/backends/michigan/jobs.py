"""A site's jobs: their state in the platform's words, the list of them, cancelling, and the log of a failure."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Literal
from urllib.parse import quote

from microservices.backends.answers import Answer
from microservices.backends.base import (
    JobNotFoundError,
    SiteError,
    SiteJob,
    SiteJobState,
    SiteMessage,
    SiteUnavailableError,
)
from microservices.backends.failures import refuse_unoffered, translate_failures
from microservices.backends.markup import strip_markup
from microservices.backends.michigan.answers import explain_answer, is_own, read_model
from microservices.backends.michigan.client import CloudgeneClient
from microservices.backends.michigan.credential import explain_refusal
from microservices.backends.michigan.progress import NEARLY_DONE, measure_progress
from microservices.backends.michigan.wire import JobAnswer, JobPage
from microservices.backends.responses import read_bounded

MAX_PAGES = 2000
LOG_TAIL_BYTES = 64 * 1024
_MAX_MESSAGES = 200
_MAX_WORDS = 10_000
_LEVELS: dict[int | None, Literal["info", "warning", "error", "running"]] = {1: "error", 2: "warning", 3: "running"}
_NAMES = {
    1: "waiting",
    2: "running",
    3: "exporting",
    4: "success",
    5: "failed",
    6: "cancelled",
    7: "retired",
    8: "success, deletion announced",
    9: "failed or cancelled, deletion announced",
    10: "deleted",
    -1: "dead",
}
_PLAIN_STATES: dict[int, SiteJobState] = {
    1: "waiting",
    2: "running",
    3: "finishing",
    6: "cancelled",
    7: "gone",
    10: "gone",
    -1: "dead",
}


async def read_status(client: CloudgeneClient, external_job_id: str) -> SiteJob:
    """The job with its messages. Raises `JobNotFoundError` when the site itself says that it knows no such job."""
    return translate_job(await read_job(client, external_job_id))


async def read_job(client: CloudgeneClient, external_job_id: str, suffix: str = "") -> JobAnswer:
    """Details, not `/status`: in Cloudgene 2 that one is empty for a finished job."""
    answer = await client.call(_path(external_job_id) + suffix)
    if answer.status in (403, 404):
        raise await _explain_absence(client, answer, external_job_id)
    job = read_model(answer, JobAnswer)
    if job.id != external_job_id:
        raise SiteUnavailableError("The site tells of another job than the one asked for.", code="answer_unreadable")
    return job


async def cancel_job(client: CloudgeneClient, external_job_id: str) -> SiteJob:
    """Ask the site to end the job; a finished one is left as it is (Cloudgene 2 then says that it knows none)."""
    try:
        return translate_job(await read_job(client, external_job_id, "/cancel"))
    except JobNotFoundError:
        return await read_status(client, external_job_id)


async def restart_job(client: CloudgeneClient, external_job_id: str) -> SiteJob:
    """Cloudgene 3 restarts what died with it (state -1); 400 is its word for a job that is in any other state.

    Cloudgene 2 wants its web page's cookie for this, and refuses a token.
    """
    answer = await client.call(_path(external_job_id) + "/restart")
    if answer.status in (403, 404):
        raise await _explain_absence(client, answer, external_job_id)
    if answer.status not in (200, 400):
        raise explain_answer(answer)
    return await read_status(client, external_job_id)


async def refuse_deletion(client: CloudgeneClient, external_job_id: str) -> None:
    """`DELETE /api/v2/jobs/{id}` wants a person's log-in: Cloudgene 3 answers 403 to an API token, which is all that is
    held here, and Cloudgene 2 wants its web page's cookie. Sites delete results by themselves after some days.
    """
    raise refuse_unoffered(
        f"The site lets only a person who is logged in there delete the job {external_job_id}.",
        "Delete it on the site's own page, or leave it to the site, which deletes results after some days.",
    )


async def list_all_jobs(client: CloudgeneClient) -> AsyncIterator[SiteJob]:
    """Every job of the account, newest first, page by page.

    An absence may be concluded from the list, so a list that repeats itself, never ends, or holds fewer jobs than it
    counts raises `SiteError` (`listing_inconsistent`; try again) instead of ending.
    """
    seen: set[str] = set()
    for page_number in range(1, MAX_PAGES + 1):
        page = read_model(await client.call(f"/api/v2/jobs?page={page_number}"), JobPage)
        fresh = [job for job in page.data if job.id not in seen]
        seen.update(job.id for job in fresh)
        for job in fresh:
            yield translate_job(job)
        if page.next is None:
            if len(seen) < page.count:
                raise _distrust_list(f"it counts {page.count} jobs and shows {len(seen)}")
            return
        if not fresh:
            raise _distrust_list("a page repeats the ones before")
    raise _distrust_list(f"it has more than {MAX_PAGES} pages")


async def read_failure_log(client: CloudgeneClient, external_job_id: str) -> str:
    """The last part of the job's log as plain text; the password of the results, which it may show, is hidden."""
    tail = bytearray()
    with translate_failures():
        async with client.session.get(
            client.address(f"/logs/{quote(external_job_id, safe='')}"),
            headers=client.authorise(),
            allow_redirects=False,
        ) as response:
            if response.status != 200:
                answer = client.understand(response, await read_bounded(response))
                raise await _explain_absence(client, answer, external_job_id)
            async for chunk in response.content.iter_any():
                tail += chunk
                del tail[:-LOG_TAIL_BYTES]
    return strip_markup(tail.decode(errors="replace"))


def translate_job(job: JobAnswer) -> SiteJob:
    """The site's job in the platform's words."""
    messages = tuple(_read_messages(job))
    state = read_state(job, messages)
    return SiteJob(
        external_job_id=job.id,
        mark=job.name or "",
        state=state,
        external_status=_NAMES.get(job.state, f"state {job.state}"),
        progress=_read_progress(job, state, messages),
        queue_position=job.positionInQueue if state == "waiting" and (job.positionInQueue or 0) >= 0 else None,
        messages=messages,
        submitted_at=_read_moment(job.submittedOn),
    )


def read_state(job: JobAnswer, messages: tuple[SiteMessage, ...]) -> SiteJobState:
    """The state; an unknown number means not finished.

    Success shows some seconds before the results can be fetched, and a cancel can show as a failure for a moment: both
    while the job is still in the site's engine, so either end is believed only once it has left.
    """
    if job.state == 1 and job.setupRunning:
        return "running"
    if job.state in (4, 8):
        return "succeeded" if job.has_left_engine() else "finishing"
    if job.state in (5, 9):
        return _read_bad_end(job, messages)
    return _PLAIN_STATES.get(job.state, "running")


def _read_bad_end(job: JobAnswer, messages: tuple[SiteMessage, ...]) -> SiteJobState:
    """State 9 covers failed and cancelled; only the pipeline's own words tell, for a failed job never says them."""
    if not job.has_left_engine():
        return "finishing"
    said_so = any("Pipeline execution canceled." in message.text for message in messages)
    return "cancelled" if job.canceld or (job.state == 9 and said_so) else "failed"


def _read_progress(job: JobAnswer, state: SiteJobState, messages: tuple[SiteMessage, ...]) -> float | None:
    if state in ("waiting", "succeeded"):
        return 0.0 if state == "waiting" else 100.0
    return NEARLY_DONE if job.state in (3, 4, 8) else measure_progress(messages)


def _read_moment(milliseconds: int | None) -> datetime | None:
    try:
        return datetime.fromtimestamp(milliseconds / 1000, UTC) if milliseconds and milliseconds > 0 else None
    except (ValueError, OverflowError, OSError):
        return None


def _read_messages(job: JobAnswer) -> list[SiteMessage]:
    found = [
        SiteMessage(step=step.name or "", level=_LEVELS.get(entry.type, "info"), text=text[:_MAX_WORDS])
        for step in job.steps or ()
        for entry in step.logMessages or ()
        if (text := strip_markup(entry.message or ""))
    ]
    return found[-_MAX_MESSAGES:]


async def _explain_absence(client: CloudgeneClient, answer: Answer, external_job_id: str) -> SiteError:
    """A job is lost only if Cloudgene itself says so: a proxy's 404 is an outage, a bad token another matter."""
    if answer.status == 404 and (is_own(answer) or external_job_id in answer.words):
        return JobNotFoundError(
            f"The site knows no job {external_job_id}: {answer.words}",
            code="job_unknown",
            fix="It was deleted at the site, or the server was rebuilt: submit the run again.",
        )
    return await explain_refusal(client, answer) if answer.status in (403, 404) else explain_answer(answer)


def _distrust_list(why: str) -> SiteError:
    return SiteError(f"The site's list of jobs cannot be trusted: {why}.", code="listing_inconsistent")


def _path(external_job_id: str) -> str:
    return f"/api/v2/jobs/{quote(external_job_id, safe='')}"
