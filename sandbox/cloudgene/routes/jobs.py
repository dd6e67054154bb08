"""Submitting, watching and ending jobs."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import PlainTextResponse
from starlette.concurrency import run_in_threadpool

from sandbox.cloudgene.downloads import list_files
from sandbox.cloudgene.errors import CloudgeneError, FrameworkError
from sandbox.cloudgene.jobs import Job, State, make_job_id, now_ms
from sandbox.cloudgene.panels import find_panels
from sandbox.cloudgene.routes.server import is_application, is_data_package
from sandbox.cloudgene.site import (
    CurrentSite,
    KnownCaller,
    LoggedInCaller,
    Site,
    refuse_during_maintenance,
)
from sandbox.cloudgene.submission import Submission, read_submission, save_uploads
from sandbox.cloudgene.tokens import Caller
from sandbox.cloudgene.views import show_job, show_listed, show_output, show_page

PAGE_SIZE = 15
QUEUED = "Your job was successfully added to the job queue."

router = APIRouter()
readable = [Depends(refuse_during_maintenance)]


@router.post("/api/v2/jobs/submit/{application}")
async def submit_job(request: Request, site: CurrentSite, caller: KnownCaller, application: str) -> dict[str, Any]:
    """All but the token is checked after the whole upload was read, in this order; fields are not checked at
    all, so that a wrong value gives a job that fails."""
    submission = await read_submission(request, site.settings.max_upload_bytes)
    refuse_during_maintenance(request)
    limit = site.engine.max_jobs_per_user
    if site.engine.count_in_engine(caller.account.username) >= limit:
        raise CloudgeneError(400, f"Only {limit} jobs per user can be executed simultaneously.")
    _check_application(site, application)
    if submission.unknown:
        raise CloudgeneError(400, f"Parameter '{submission.unknown[0]}' not found.")
    job = _make_job(request, site, caller, application, submission)
    try:
        await save_uploads(submission, site.engine.folder(job) / "input")
    except OSError as error:
        del site.engine.jobs[job.id]
        raise FrameworkError(500, f"The files could not be stored: {error.strerror}") from error
    await site.engine.add(job)
    return {"success": True, "message": QUEUED, "id": job.id}


def _check_application(site: Site, application: str) -> None:
    if is_application(application):
        return
    keys = [panel.key for panel in find_panels(site.settings.panels_folder)]
    if is_data_package(application, keys):
        raise CloudgeneError(404, f"Application '{application}' has no workflow section.")
    raise CloudgeneError(404, f"Application '{application}' not found.")


def _make_job(request: Request, site: Site, caller: Caller, application: str, submission: Submission) -> Job:
    """Counts against the limit from here on, also while its files are being stored."""
    job_id = make_job_id(site.engine.jobs)
    job = Job(
        id=job_id,
        name=submission.choices.get("job-name") or job_id,
        owner=caller.account.username,
        application=application,
        user_agent=request.headers.get("user-agent", ""),
        submitted_on=now_ms(),
        choices=submission.choices,
    )
    site.engine.jobs[job_id] = job
    return job


@router.get("/api/v2/jobs", dependencies=readable)
async def list_jobs(
    site: CurrentSite, caller: KnownCaller, page: Annotated[int | None, Query(ge=1)] = None
) -> dict[str, Any]:
    """The caller's jobs, newest first; all of them unless a page is asked for."""
    own = [
        job
        for job in site.engine.jobs.values()
        if job.owner == caller.account.username and job.state is not State.DELETED
    ]
    for job in own:
        site.engine.age(job)
    own.sort(key=lambda job: job.id, reverse=True)
    size = PAGE_SIZE if page else max(len(own), 1)
    first = ((page or 1) - 1) * size
    shown = [show_listed(job, site.engine.position(job)) for job in own[first : first + size]]
    return show_page(own, shown, page or 1, size)


@router.get("/api/v2/jobs/{job_id}", dependencies=readable)
@router.get("/api/v2/jobs/{job_id}/status", dependencies=readable)
async def read_job(site: CurrentSite, caller: KnownCaller, job_id: str) -> dict[str, Any]:
    """Both addresses give the same."""
    return _show(site, find_job(site, caller, job_id))


@router.get("/api/v2/jobs/{job_id}/cancel", dependencies=readable)
async def cancel_job(site: CurrentSite, caller: KnownCaller, job_id: str) -> dict[str, Any]:
    """A job that has ended stays as it is."""
    job = find_job(site, caller, job_id)
    site.engine.cancel(job)
    return _show(site, job)


@router.get("/api/v2/jobs/{job_id}/restart", dependencies=readable)
async def restart_job(site: CurrentSite, caller: KnownCaller, job_id: str) -> dict[str, Any]:
    """Only jobs that died with the site."""
    job = find_job(site, caller, job_id)
    if job.state is not State.DEAD:
        raise CloudgeneError(400, f"Job {job_id} is not pending.")
    await site.engine.add(job)
    return {"success": True, "message": QUEUED, "type": 0, "time": 0}


@router.delete("/api/v2/jobs/{job_id}", dependencies=readable)
async def delete_job(site: CurrentSite, caller: LoggedInCaller, job_id: str) -> dict[str, Any]:
    """A job in the engine must be cancelled first."""
    job = find_job(site, caller, job_id)
    if job.in_engine:
        raise CloudgeneError(400, f"Job {job_id} is still in the queue. Cancel it first.")
    site.engine.delete(job)
    return _show(site, job)


@router.get("/logs/{job_id}", dependencies=readable)
async def read_log(site: CurrentSite, caller: KnownCaller, job_id: str) -> PlainTextResponse:
    """Inputs, choices and what the pipeline wrote."""
    path = site.engine.folder(find_job(site, caller, job_id)) / "job.log"
    return PlainTextResponse(await run_in_threadpool(path.read_text, encoding="utf-8"))


def find_job(site: Site, caller: Caller, job_id: str) -> Job:
    """Raises CloudgeneError: 404 for an unknown or deleted job, 403 for somebody else's."""
    job = site.engine.jobs.get(job_id)
    if job is None or job.state is State.DELETED:
        raise CloudgeneError(404, f"Job {job_id} not found.")
    if job.owner != caller.account.username and not caller.account.admin:
        raise CloudgeneError(403, "Access denied.")
    site.engine.age(job)
    return job


def _show(site: Site, job: Job) -> dict[str, Any]:
    outputs = show_output(job, list_files(site.database, job.id))
    return show_job(job, site.engine.position(job), outputs)
