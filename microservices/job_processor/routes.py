"""The public jobs API, and what other services ask."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import ValidationError
from sqlalchemy.orm import Session

from microservices.contracts.file_manager import ResultRecord
from microservices.contracts.job_processor import FileUsage
from microservices.job_processor import hot_reads, queries, readings, views
from microservices.job_processor.errors import JobNotFoundError
from microservices.job_processor.hints import Hints
from microservices.job_processor.limits import TierLimits
from microservices.job_processor.logic.cancellation import request_cancel
from microservices.job_processor.logic.creation import create_job
from microservices.job_processor.logic.failover import request_move
from microservices.job_processor.logic.quotas import Amounts, charge_quotas
from microservices.job_processor.logic.removal import ask_for_removal
from microservices.job_processor.logic.retry import check_deletable, retry_failed_runs
from microservices.job_processor.logic.templates import plan_job
from microservices.job_processor.models import Job
from microservices.job_processor.paging import PageQuery, read_number
from microservices.job_processor.peers import Peers
from microservices.job_processor.schemas import (
    JobQuery,
    JobView,
    ResidencyDecisionView,
    ResultsSummary,
    StatusUpdateView,
)
from microservices.job_processor.wishes import JobPlan, NewJob
from microservices.kernel.auth import PEOPLE, Principal, services_with
from microservices.kernel.db import Database, SessionDep, get_database, open_cursor
from microservices.kernel.idempotency import IdempotencyKey, once_key, run_once
from microservices.kernel.pagination import Page

Caller = Annotated[Principal, Depends(PEOPLE)]

router = APIRouter(prefix="/api/v1/jobs", tags=["jobs"])
internal = APIRouter(prefix="/internal", tags=["internal"])


def get_peers(request: Request) -> Peers:
    peers: Peers = request.app.state.peers
    return peers


PeersDep = Annotated[Peers, Depends(get_peers)]


def get_hints(request: Request) -> Hints:
    hints: Hints = request.app.state.hints
    return hints


def _plan(database: Database, caller: Principal, wish: NewJob) -> JobPlan:
    try:
        return plan_job(database, caller, wish)
    except ValidationError as error:
        raise RequestValidationError(error.errors()) from error


def _limit(request: Request, caller: Principal) -> TierLimits:
    limits: TierLimits = request.app.state.settings.limit_tier(caller.tier)
    return limits


@router.post("", status_code=202, response_model=JobView)
def submit_job(
    wish: NewJob,
    caller: Caller,
    peers: PeersDep,
    request: Request,
    idempotency_key: IdempotencyKey = None,
) -> JSONResponse:
    def create(session: Session) -> JobView:
        job = create_job(session, peers, caller, _plan(get_database(request), caller, wish))
        view = _show(session, caller, job.job_id)
        charge_quotas(session, caller, _limit(request, caller), Amounts(len(job.run_ids), 1, job.input_bytes))
        return view

    once = once_key(caller, "POST /api/v1/jobs", idempotency_key, wish)
    answer = run_once(get_database(request), once, 202, create)
    get_hints(request).give()
    return answer


# Mostly answered by `hot_reads`; here is what they are, and who has to be told what is wrong.
@router.get("", response_model=Page[JobView])
def list_jobs(query: Annotated[JobQuery, Query()], caller: Caller, request: Request) -> Response:
    with get_database(request).reading() as cursor:
        return Response(hot_reads.write_list(query, caller, cursor), media_type="application/json")


@router.get("/{job_id}", response_model=JobView)
def get_job(job_id: UUID, caller: Caller, request: Request) -> Response:
    with get_database(request).reading() as cursor:
        body = hot_reads.write_job(job_id, caller, cursor)
    if body is None:
        raise _miss(job_id)
    return Response(body, media_type="application/json")


def _miss(job_id: UUID) -> JobNotFoundError:
    return JobNotFoundError(f"There is no job {job_id} among yours.")


def _show(session: Session, caller: Principal, job_id: UUID) -> JobView:
    """The job with what the session has changed of it."""
    with open_cursor(session) as cursor:
        return JobView.model_validate(views.show_job(cursor, readings.read_own_job(cursor, caller, job_id)))


def _find(session: Session, caller: Principal, job_id: UUID, *, lock: bool = False) -> Job:
    job = queries.find_job(session, caller, job_id, lock=lock)
    if job is None:
        raise _miss(job_id)
    return job


@router.get("/{job_id}/events")
def list_events(
    job_id: UUID, query: Annotated[PageQuery, Query()], caller: Caller, session: SessionDep
) -> Page[StatusUpdateView]:
    """The job's history, oldest first."""
    job = _find(session, caller, job_id)
    rows = queries.find_history(session, job.id, read_number(query), query.limit + 1)
    return views.page_history(rows, query, queries.count_history(session, job.id))


@router.get("/{job_id}/residency-decisions")
def list_residency_decisions(
    job_id: UUID, query: Annotated[PageQuery, Query()], caller: Caller, session: SessionDep
) -> Page[ResidencyDecisionView]:
    """Whether the job's data might leave for a site, as decided each time just before; oldest first.

    Administrators see those of anybody's job, and also once the job has been deleted.
    """
    total = queries.count_decisions(session, job_id)
    if "admin" not in caller.roles or total == 0:
        _find(session, caller, job_id)
    rows = queries.find_decisions(session, job_id, read_number(query), query.limit + 1)
    return views.page_decisions(rows, query, total)


@router.get("/{job_id}/results")
def list_results(
    job_id: UUID, query: Annotated[PageQuery, Query()], caller: Caller, request: Request, peers: PeersDep
) -> Page[ResultRecord]:
    """What lies here of a former attempt at a run is not among its results."""
    with get_database(request).transaction() as session:
        job = _find(session, caller, job_id)
    with_results = [run.id for run in job.runs if run.results]
    return views.page_results(peers.list_results(with_results) if with_results else [], query)


@router.get("/{job_id}/results/summary")
def summarize_results(job_id: UUID, caller: Caller, session: SessionDep) -> ResultsSummary:
    job = _find(session, caller, job_id)
    return views.show_summaries(job, queries.list_summaries(session, job))


@router.post("/{job_id}/cancel", status_code=202)
def cancel_job(job_id: UUID, caller: Caller, request: Request) -> JobView:
    with get_database(request).transaction() as session:
        job = _find(session, caller, job_id, lock=True)
        request_cancel(session, job)
        return _show(session, caller, job_id)


@router.post("/{job_id}/retry", status_code=202)
def retry_job(job_id: UUID, caller: Caller, request: Request) -> JobView:
    with get_database(request).transaction() as session:
        job = _find(session, caller, job_id, lock=True)
        again = retry_failed_runs(session, job)
        session.flush()
        charge_quotas(session, caller, _limit(request, caller), Amounts(len(again)))
        view = _show(session, caller, job_id)
    get_hints(request).give()
    return view


@router.post("/{job_id}/runs/{run_id}/move", status_code=202)
def move_run(job_id: UUID, run_id: UUID, caller: Caller, request: Request) -> JobView:
    """Let a run go on at its next alternate: at once, or once its site has confirmed that its job there has ended."""
    with get_database(request).transaction() as session:
        job = _find(session, caller, job_id, lock=True)
        run = queries.lock_run(session, run_id) if run_id in {run.id for run in job.runs} else None
        if run is None:
            raise JobNotFoundError(f"The job has no run {run_id}.", code="run_not_found")
        request_move(session, run)
        view = _show(session, caller, job_id)
    get_hints(request).give()
    return view


@router.delete("/{job_id}", status_code=204)
def delete_job(job_id: UUID, caller: Caller, session: SessionDep, peers: PeersDep) -> Response:
    job = _find(session, caller, job_id, lock=True)
    check_deletable(job)
    peers.delete_results(job.id)
    ask_for_removal(session, job)
    session.delete(job)
    return Response(status_code=204)


@internal.get("/files/{file_id}/usage", dependencies=[Depends(services_with("jobs:read"))])
def tell_file_usage(file_id: UUID, session: SessionDep) -> FileUsage:
    return FileUsage(in_use=queries.is_file_in_use(session, file_id))
