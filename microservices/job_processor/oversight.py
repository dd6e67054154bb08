"""Everybody's jobs, for staff: asked for by Django alone, which knows who of the staff is asking."""

from datetime import datetime
from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from pydantic import AfterValidator
from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from microservices.contracts.job_oversight import OverseenHistory, OverseenJob, OverseenPage, OverseenUpdate, StaffAct
from microservices.job_processor import queries, readings, views
from microservices.job_processor.errors import JobNotFoundError
from microservices.job_processor.logic.cancellation import request_cancel
from microservices.job_processor.logic.lifecycle import tell_job
from microservices.job_processor.logic.retry import retry_failed_runs
from microservices.job_processor.models import Job, StatusUpdate
from microservices.job_processor.routes import get_hints
from microservices.job_processor.schemas import JobQuery, read_in_utc
from microservices.kernel.auth import services_with
from microservices.kernel.db import SessionDep, get_database, open_cursor
from microservices.kernel.pagination import paginate

router = APIRouter(prefix="/internal/jobs", tags=["internal"], dependencies=[Depends(services_with("jobs:staff"))])

_LONGEST_HISTORY = 500


class OversightQuery(JobQuery):
    """`q`: in the name, or the id of a job or of its owner."""

    created_before: Annotated[datetime, AfterValidator(read_in_utc)] | None = None


@router.get("")
def list_jobs(query: Annotated[OversightQuery, Query()], session: SessionDep) -> OverseenPage:
    statement = _narrow(select(Job), query)
    page = paginate(
        session, statement, query, sortable=queries.JOB_ORDER, key=Job.id, to_item=partial(show_job, session)
    )
    return OverseenPage(items=page.items, next_cursor=page.next_cursor, total=page.total)


def _narrow(statement: Select[Job], query: OversightQuery) -> Select[Job]:
    wanted_id = _read_id(query.q)
    narrowed = queries.narrow_jobs(
        statement,
        status=query.status,
        service_id=query.service_id,
        text=None if wanted_id else query.q,
        created_after=query.created_after,
    )
    if wanted_id:
        narrowed = narrowed.where(or_(Job.id == wanted_id, Job.owner_id == wanted_id))
    return narrowed.where(Job.created_at < query.created_before) if query.created_before else narrowed


def _read_id(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


def show_job(session: Session, job: Job) -> OverseenJob:
    """The job with what the session has changed of it."""
    with open_cursor(session) as cursor:
        shown = views.show_job(cursor, readings.read_job(cursor, job.id))
    own = {"organization_id": job.organization_id, "owner_id": job.owner_id}
    inputs = [{"filename": source.filename, "size": source.size} for source in job.inputs]
    return OverseenJob.model_validate({**shown, **own, "inputs": inputs})


def _find(session: Session, job_id: UUID, *, lock: bool = False) -> Job:
    statement = select(Job).where(Job.id == job_id)
    job = session.scalar(statement.with_for_update(of=Job) if lock else statement)
    if job is None:
        raise JobNotFoundError(f"There is no job {job_id}.")
    return job


@router.get("/{job_id}")
def get_job(job_id: UUID, session: SessionDep) -> OverseenJob:
    return show_job(session, _find(session, job_id))


@router.get("/{job_id}/events")
def list_events(job_id: UUID, session: SessionDep) -> OverseenHistory:
    """The newest first, and of a long history only so many."""
    newest = select(StatusUpdate).where(StatusUpdate.job_id == _find(session, job_id).id)
    history = session.scalars(newest.order_by(StatusUpdate.id.desc()).limit(_LONGEST_HISTORY))
    return OverseenHistory(items=[OverseenUpdate.model_validate(update, from_attributes=True) for update in history])


@router.post("/{job_id}/cancel", status_code=202)
def cancel_job(job_id: UUID, act: StaffAct, request: Request) -> OverseenJob:
    with get_database(request).transaction() as session:
        job = _find(session, job_id, lock=True)
        request_cancel(session, job)
        tell_job(session, job, f"Cancelled by {act.staff} (staff).")
        return show_job(session, job)


@router.post("/{job_id}/retry", status_code=202)
def retry_job(job_id: UUID, act: StaffAct, request: Request) -> OverseenJob:
    with get_database(request).transaction() as session:
        job = _find(session, job_id, lock=True)
        retry_failed_runs(session, job)
        tell_job(session, job, f"Failed runs were sent again by {act.staff} (staff).")
        view = show_job(session, job)
    get_hints(request).give()
    return view
