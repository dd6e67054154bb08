"""A site's runs: their state in the platform's words, the list of them, and cancelling."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from microservices.backends.answers import Answer
from microservices.backends.base import (
    CANCEL_STEP,
    JobNotFoundError,
    SiteError,
    SiteJob,
    SiteJobState,
    SiteMessage,
    SiteUnavailableError,
)
from microservices.backends.ga4gh_wes.answers import explain_answer, read_model, refuse_credential
from microservices.backends.ga4gh_wes.catalogue import read_info
from microservices.backends.ga4gh_wes.client import WesClient
from microservices.backends.ga4gh_wes.dialect import list_capabilities, recognise
from microservices.backends.ga4gh_wes.wire import RunLog, RunPage, RunStatus
from microservices.backends.ga4gh_wes.words import clean_words

TAG = "imputehub"
PAGE_SIZE = 200
MAX_PAGES = 2000
_MAX_REASON = 2000
_STATES: dict[str, SiteJobState] = {
    "QUEUED": "waiting",
    "INITIALIZING": "running",
    "RUNNING": "running",
    "PAUSED": "running",
    "CANCELING": "running",
    "COMPLETE": "succeeded",
    "EXECUTOR_ERROR": "failed",
    "SYSTEM_ERROR": "dead",
    "PREEMPTED": "dead",
    "CANCELED": "cancelled",
    "DELETING": "gone",
    "DELETED": "gone",
}
_WORDS = {
    "INITIALIZING": "The site prepares the run.",
    "PAUSED": "The site has paused the run.",
    "CANCELING": "The site is cancelling the run.",
    "PREEMPTED": "The site took the machine away from the run.",
}
_SETTLED = frozenset({"succeeded", "failed", "dead", "cancelled", "gone"})


async def read_status(client: WesClient, run_id: str) -> SiteJob:
    """The run as it stands; the log is read only once the site gave the run up, as some servers fail before an end.

    Raises `JobNotFoundError` when the site says that it knows no such run (right after a submission that may only mean
    "not yet"), and `SiteUnavailableError` for everything that says nothing about the run.
    """
    answer = await client.call(client.address_run(run_id, "/status"))
    if answer.status in (400, 404):
        raise _explain_absence(answer, run_id)
    status = read_model(answer, RunStatus)
    if status.run_id != run_id:
        raise SiteUnavailableError("The site tells of another run than the one asked for.", code="no_news")
    if status.state not in _STATES:
        raise SiteUnavailableError(f"The site says only {status.state[:50]!r} of the run.", code="no_news")
    job = translate_run(status, "")
    return replace(job, messages=await _read_reason(client, run_id)) if job.state == "dead" else job


def _explain_absence(answer: Answer, run_id: str) -> SiteError:
    """Only the server's own words about this run count: a framework's or a proxy's 404 is about the address."""
    words = answer.words
    if answer.status == 404 and answer.document is not None and words.lower().rstrip(".") not in ("", "not found"):
        return JobNotFoundError(
            f"The site knows no run {run_id}: {words}",
            code="job_unknown",
            fix="It was deleted at the site, or the server was rebuilt: submit the run again.",
        )
    return SiteUnavailableError(
        f"The site cannot say how the run stands ({answer.status}): {words or 'it gave no reason'}", code="no_news"
    )


def translate_run(status: RunStatus, mark: str) -> SiteJob:
    """The run in the platform's words; nothing can be counted between the states."""
    state = _STATES.get(status.state, "running")
    words = _WORDS.get(status.state)
    return SiteJob(
        external_job_id=status.run_id,
        mark=mark,
        state=state,
        external_status=status.state[:100],
        progress=100.0 if state == "succeeded" else None,
        messages=(SiteMessage("Site", "info", words),) if words else (),
        submitted_at=read_moment(status.start_time),
    )


def read_moment(text: str | None) -> datetime | None:
    """Times come with a zone, without one, or empty; without one they are taken for UTC."""
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


async def _read_reason(client: WesClient, run_id: str) -> tuple[SiteMessage, ...]:
    try:
        log = await read_run_log(client, run_id)
    except SiteError:
        return ()
    entries = log.run_log.system_logs if log.run_log is not None else []
    text = clean_words("\n".join(entries))[-_MAX_REASON:]
    return (SiteMessage("Site", "error", text),) if text else ()


async def read_run_log(client: WesClient, run_id: str) -> RunLog:
    answer = await client.call(client.address_run(run_id))
    if answer.status in (400, 404):
        raise _explain_absence(answer, run_id)
    return read_model(answer, RunLog)


async def list_all_runs(client: WesClient) -> AsyncIterator[SiteJob]:
    """Every run that the account may see, with its mark, in the server's order.

    Raises `SiteError` where the list proves nothing: it repeats itself or never ends (`listing_inconsistent`), or the
    server lists no unfinished runs (`listing_incomplete`).
    """
    if not recognise(await read_info(client)).lists_all:
        raise SiteError(
            "This server lists a run only after its end, so its list cannot tell whether it has a submission.",
            code="listing_incomplete",
            permanent=True,
            fix="Ask the site's operators whether they have the run.",
        )
    async for run in _read_pages(client):
        mark = await _find_mark(client, run)
        yield replace(translate_run(run, mark or ""), is_mark_known=mark is not None)


async def list_run_states(client: WesClient) -> AsyncIterator[SiteJob]:
    """Every run of which the list tells a state that is one, without its mark."""
    async for run in _read_pages(client):
        if run.state in _STATES:
            yield replace(translate_run(run, ""), is_mark_known=False)


async def _read_pages(client: WesClient) -> AsyncIterator[RunStatus]:
    seen: set[str] = set()
    query = f"?page_size={PAGE_SIZE}"
    for _ in range(MAX_PAGES):
        page = read_model(await client.call("/runs", query=query), RunPage)
        fresh = [run for run in page.runs if run.run_id not in seen]
        seen.update(run.run_id for run in fresh)
        for run in fresh:
            yield run
        if not page.next_page_token:
            return
        if not fresh and page.runs:
            raise _distrust_list("a page repeats the ones before")
        query = f"?page_size={PAGE_SIZE}&page_token={quote(page.next_page_token, safe='')}"
    raise _distrust_list(f"it has more than {MAX_PAGES} pages")


def _distrust_list(why: str) -> SiteError:
    return SiteError(f"The site's list of runs cannot be trusted: {why}.", code="listing_inconsistent")


async def _find_mark(client: WesClient, run: RunStatus) -> str | None:
    """Our tag; a list of WES 1.0 has no tags, so each run is asked for. None: the site does not say (yet)."""
    if run.tags is not None:
        return _read_mark(run.tags)
    answer = await client.call(client.address_run(run.run_id))
    if answer.status == 401:
        raise refuse_credential(answer.words)
    if answer.status != 200 or answer.document is None:
        return None
    request = RunLog.model_validate(answer.document).request
    return _read_mark(request.tags) if request is not None and request.tags is not None else None


def _read_mark(tags: dict[str, Any]) -> str:
    mark = tags.get(TAG)
    return mark if isinstance(mark, str) else ""


async def cancel_run(client: WesClient, run_id: str) -> SiteJob:
    """Ask the site to end the run, and tell how it then stands: a cancel is a request, and some servers heed none."""
    answer = await client.call(client.address_run(run_id, "/cancel"), method="POST")
    if answer.status == 401:
        raise explain_answer(answer)
    job = await read_status(client, run_id)
    if job.state in _SETTLED or job.external_status == "CANCELING":
        return job
    heeded = answer.status == 200 and answer.document is not None and "run_id" in answer.document
    if heeded and list_capabilities(recognise(await read_info(client))).cancels is not False:
        return job
    said = f" It answered {answer.status}: {answer.words}" if answer.status != 200 else ""
    words = f"The site did not act on the request to cancel: the run goes on there.{said}"
    return replace(job, messages=(*job.messages, SiteMessage(CANCEL_STEP, "warning", words)))
