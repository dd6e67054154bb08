"""`GET /api/v1/jobs/{id}/results/archive`: all results of a job as one zip, passed through as file_manager makes it."""

import re
from collections.abc import AsyncIterator
from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

import httpx
from fastapi import APIRouter, Depends, Request
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from microservices.contracts.file_manager import ArchivedRun, ArchiveRequest
from microservices.job_processor.errors import JobNotFoundError, ResultsNotFoundError
from microservices.job_processor.models import Job, Run
from microservices.job_processor.peers import Peers
from microservices.job_processor.queries import find_job
from microservices.job_processor.routes import Caller
from microservices.job_processor.schemas import ArchiveLink
from microservices.job_processor.tickets import TicketOrPersonRule, make_ticket
from microservices.kernel.auth import Principal
from microservices.kernel.db import get_database

ZIP = "application/zip"
router = APIRouter(prefix="/api/v1/jobs", tags=["jobs"])


@router.get(
    "/{job_id}/results/archive",
    response_class=StreamingResponse,
    responses={200: {"content": {ZIP: {"schema": {"type": "string", "format": "binary"}}}}},
)
async def stream_archive(
    job_id: UUID, caller: Annotated[Principal, Depends(TicketOrPersonRule())], request: Request
) -> StreamingResponse:
    """A folder for each run, with `manifest.json` and `SHA256SUMS`; its length is not known before its end.

    For people with a token, or by a link that was asked for.
    """
    job, wish = await run_in_threadpool(_describe_archive, request, caller, job_id)
    peers: Peers = request.app.state.peers
    answer = await peers.open_archive(wish)
    name = re.sub(r"[^A-Za-z0-9._-]+", "_", job.name)[:60].strip("_.") or "job"
    headers = {
        "Content-Disposition": f'attachment; filename="{name}_{job.id}.zip"',
        "Cache-Control": "private, no-store",
    }
    return StreamingResponse(_pass_on(answer), media_type=ZIP, headers=headers)


@router.post("/{job_id}/results/archive-link")
def link_archive(job_id: UUID, caller: Caller, request: Request) -> ArchiveLink:
    """A link that downloads the archive without a token, as browsers do; good for ten minutes to begin."""
    _describe_archive(request, caller, job_id)
    ticket, expires_at = make_ticket(request.app.state.cipher, caller, job_id)
    address = f"{request.app.state.settings.public_url.rstrip('/')}/api/v1/jobs/{job_id}/results/archive"
    return ArchiveLink(url=f"{address}?{urlencode({'ticket': ticket})}", expires_at=expires_at)


def _describe_archive(request: Request, caller: Principal, job_id: UUID) -> tuple[Job, ArchiveRequest]:
    with get_database(request).transaction() as session:
        job = find_job(session, caller, job_id)
    if job is None:
        raise JobNotFoundError(f"There is no job {job_id} among yours.")
    runs = [ArchivedRun(folder=_name_folder(run), run_id=run.id) for run in job.runs if run.results]
    if not runs:
        raise ResultsNotFoundError("The job has no results (yet): see the status of its runs.")
    return job, ArchiveRequest(job_id=job.id, runs=runs)


def _name_folder(run: Run) -> str:
    """`1_h3africa-v6hc-s_1.0.0`: the run's place in the job, and the panel as its site calls it."""
    panel = re.sub(r"[^A-Za-z0-9._-]+", "_", run.panel_key.removeprefix("apps@"))[:80].strip("_")
    return f"{run.position + 1}_{panel}"


async def _pass_on(answer: httpx.Response) -> AsyncIterator[bytes]:
    try:
        async for chunk in answer.aiter_raw():
            yield chunk
    finally:
        await answer.aclose()
