"""Is the site well? Asked as a stranger, of the two endpoints that every Cloudgene server has for strangers."""

import asyncio
import time

from microservices.backends.answers import Answer
from microservices.backends.base import Health, SiteError, SiteProbe, SiteUnavailableError
from microservices.backends.michigan.answers import explain_answer
from microservices.backends.michigan.catalogue import SERVER_PATH, read_running_server
from microservices.backends.michigan.client import CloudgeneClient
from microservices.backends.michigan.description import COUNTERS_PATH, list_capabilities, recognise_generation
from microservices.backends.michigan.wire import ServerAnswer
from microservices.backends.responses import MAX_PROBE_BYTES


async def probe_server(client: CloudgeneClient) -> SiteProbe:
    """Cheap; tells maintenance from outage. Whatever the site does is a finding, never an error.

    `/server` is answered from the server's memory, `/counters` from its database: both, or no job gets anywhere.
    """
    counting = asyncio.create_task(_ask(client, COUNTERS_PATH))
    try:
        server = await _ask(client, SERVER_PATH)
        counters = await counting
    finally:
        counting.cancel()
    elapsed_ms = None if isinstance(server[0], SiteError) else server[1]
    try:
        found = _judge_server(server[0])
        _judge_counters(counters[0])
    except SiteError as error:
        health: Health = "degraded" if error.code == "maintenance" else "unhealthy"
        return SiteProbe(health, elapsed_ms, error.message, fix=error.fix, code=error.code)
    version = found.apps[0].version if found.apps else None
    capabilities = list_capabilities(recognise_generation(found))
    return SiteProbe("healthy", elapsed_ms, f"{found.name} answers.", version, capabilities=capabilities)


async def _ask(client: CloudgeneClient, path: str) -> tuple[Answer | SiteError, float]:
    """What came, and after how many milliseconds."""
    started = time.perf_counter()
    try:
        answer: Answer | SiteError = await client.call(path, anonymous=True, limit=MAX_PROBE_BYTES)
    except SiteError as error:
        answer = error
    return answer, (time.perf_counter() - started) * 1000


def _judge_server(answer: Answer | SiteError) -> ServerAnswer:
    return read_running_server(_refuse_log_in(answer))


def _judge_counters(answer: Answer | SiteError) -> None:
    """A server without counters (404) is not ill; one that cannot count is."""
    counted = _refuse_log_in(answer)
    if counted.status == 404:
        return
    if counted.status != 200 or counted.document is None:
        raise explain_answer(counted)
    if not {"complete", "queue", "users"} & counted.document.keys():
        raise SiteUnavailableError("The site's counters are not what its interface promises.", code="answer_unreadable")


def _refuse_log_in(answer: Answer | SiteError) -> Answer:
    if isinstance(answer, SiteError):
        raise answer
    if answer.status == 401:
        raise SiteUnavailableError(
            "The site asks for a log-in where a Cloudgene server needs none.", code="log_in_wanted"
        )
    return answer
