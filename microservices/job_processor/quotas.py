"""Quotas: what is left to the caller, and what administrators set."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy.orm import Session

from microservices.job_processor.limits import Limits
from microservices.job_processor.logic import quotas
from microservices.job_processor.logic.quotas import Subject, SubjectKind
from microservices.job_processor.models import Quota
from microservices.job_processor.routes import Caller
from microservices.job_processor.schemas import QuotasView, QuotaUseView, SetQuotasView, SubjectQuotasView
from microservices.job_processor.settings import Settings
from microservices.kernel.auth import Principal, people_with
from microservices.kernel.db import SessionDep

router = APIRouter(prefix="/api/v1/jobs", tags=["quotas"])

Administrator = Annotated[Principal, Depends(people_with("admin"))]


def get_settings(request: Request) -> Settings:
    settings: Settings = request.app.state.settings
    return settings


@router.get("/quota")
def show_quota(caller: Caller, session: SessionDep, settings: Annotated[Settings, Depends(get_settings)]) -> QuotasView:
    """What the caller and their organisation have used of what they may."""
    subjects = quotas.list_subjects(caller, settings.limit_tier(caller.tier))
    shown = {subject.kind: _show_subject(session, subject, usual) for subject, usual in subjects}
    return QuotasView(tier=caller.tier, month_ends_at=quotas.end_month(), **shown)


def _show_subject(session: Session, subject: Subject, usual: Limits) -> SubjectQuotasView:
    limits = (quotas.find_limits(session, subject) or usual).model_dump()
    used = quotas.count_use(session, subject)._asdict()
    return SubjectQuotasView(**{name: QuotaUseView(used=used[name], most=most) for name, most in limits.items()})


@router.get("/quotas/{subject_kind}/{subject_id}", dependencies=[Depends(people_with("admin"))])
def get_quotas(subject_kind: SubjectKind, subject_id: UUID, session: SessionDep) -> SetQuotasView:
    return _show_set(session, Subject(subject_kind, subject_id))


@router.put("/quotas/{subject_kind}/{subject_id}")
def put_quotas(
    subject_kind: SubjectKind, subject_id: UUID, limits: Limits, caller: Administrator, session: SessionDep
) -> SetQuotasView:
    """In place of what the tier allows; what is left out has no limit."""
    subject = Subject(subject_kind, subject_id)
    quotas.set_limits(session, subject, limits, caller.person[0])
    return _show_set(session, subject)


@router.delete("/quotas/{subject_kind}/{subject_id}", status_code=204, dependencies=[Depends(people_with("admin"))])
def delete_quotas(subject_kind: SubjectKind, subject_id: UUID, session: SessionDep) -> Response:
    """What the tier allows holds again."""
    row = session.get(Quota, (subject_kind, subject_id))
    if row is not None:
        session.delete(row)
    return Response(status_code=204)


def _show_set(session: Session, subject: Subject) -> SetQuotasView:
    row = session.get(Quota, tuple(subject), populate_existing=True)
    return SetQuotasView(
        subject_kind=subject.kind,
        subject_id=subject.id,
        limits=quotas.find_limits(session, subject),
        used=Limits(**quotas.count_use(session, subject)._asdict()),
        updated_at=row.updated_at if row else None,
        updated_by=row.updated_by if row else None,
    )
