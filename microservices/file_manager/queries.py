"""Reads of file_management_db: what people ask for, always as its owner; our services by id."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import Session

from microservices.file_manager.models import ResultFile, UploadedFile
from microservices.file_manager.ownership import Owner


def _is_owned(model: type[UploadedFile] | type[ResultFile], owner: Owner) -> tuple[ColumnElement[bool], ...]:
    return model.organization_id == owner.organization_id, model.owner_id == owner.owner_id


def select_uploads(owner: Owner, status: str | None = None, q: str | None = None) -> Select[UploadedFile]:
    statement = select(UploadedFile).where(*_is_owned(UploadedFile, owner))
    if status is not None:
        statement = statement.where(UploadedFile.status == status)
    if q:
        statement = statement.where(UploadedFile.filename.icontains(q, autoescape=True))
    return statement


def find_upload(session: Session, owner: Owner, file_id: UUID) -> UploadedFile | None:
    return session.scalar(select_uploads(owner).where(UploadedFile.id == file_id))


def find_uploads(session: Session, owner: Owner, file_ids: Sequence[UUID]) -> Sequence[UploadedFile]:
    return session.scalars(select_uploads(owner).where(UploadedFile.id.in_(file_ids))).all()


def find_content(session: Session, owner: Owner | None, file_id: UUID) -> UploadedFile | ResultFile | None:
    """An upload or a result; `owner` None: for the bearer of a link, which speaks for its owner."""
    upload, result = select(UploadedFile), select(ResultFile)
    if owner is not None:
        upload, result = upload.where(*_is_owned(UploadedFile, owner)), result.where(*_is_owned(ResultFile, owner))
    found = session.scalar(upload.where(UploadedFile.id == file_id))
    return found or session.scalar(result.where(ResultFile.id == file_id))


def list_results_of_runs(session: Session, run_ids: Sequence[UUID]) -> Sequence[ResultFile]:
    statement = select(ResultFile).where(ResultFile.run_id.in_(run_ids))
    return session.scalars(statement.order_by(ResultFile.run_id, ResultFile.filename)).all()


def hold_results_of_job(session: Session, job_id: UUID) -> Sequence[ResultFile]:
    return session.scalars(select(ResultFile).where(ResultFile.job_id == job_id).with_for_update()).all()


def hold_results_of_other_attempts(session: Session, run_id: UUID, attempt: int) -> Sequence[ResultFile]:
    statement = select(ResultFile).where(ResultFile.run_id == run_id, ResultFile.attempt != attempt)
    return session.scalars(statement.order_by(ResultFile.id).with_for_update()).all()


def hold_result(session: Session, run_id: UUID, filename: str) -> ResultFile | None:
    statement = select(ResultFile).where(ResultFile.run_id == run_id, ResultFile.filename == filename)
    return session.scalar(statement.with_for_update())
