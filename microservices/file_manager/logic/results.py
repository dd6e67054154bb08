"""Result files, brought by job_processor for the owner of a job."""

from collections.abc import AsyncIterator, Sequence
from uuid import UUID

from anyio import to_thread
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from microservices.contracts.file_manager import ResultRecord, ResultUpload
from microservices.file_manager.errors import ResultConflictError
from microservices.file_manager.logic.engine import Engine
from microservices.file_manager.logic.loose import adopt_object, loosen_objects, remove_loose
from microservices.file_manager.logic.receiving import Expectation, Received
from microservices.file_manager.logic.records import show_result
from microservices.file_manager.logic.uploads import receiving
from microservices.file_manager.models import ResultFile
from microservices.file_manager.ownership import Owner
from microservices.file_manager.queries import (
    hold_result,
    hold_results_of_job,
    hold_results_of_other_attempts,
    list_results_of_runs,
)


async def store_result(
    engine: Engine, upload: ResultUpload, chunks: AsyncIterator[bytes], expected: Expectation
) -> ResultRecord:
    """The same run and name again replaces: its id stays, and readers of the old bytes read on undisturbed."""
    owner = Owner(upload.organization_id, upload.owner_id)
    async with receiving(engine, owner, chunks, expected) as (object_id, received):
        file, replaced = await to_thread.run_sync(_register, engine, upload, object_id, received)
    await to_thread.run_sync(remove_loose, engine.database, engine.storage, replaced)
    return show_linked(engine, file)


def _register(
    engine: Engine, upload: ResultUpload, object_id: UUID, received: Received
) -> tuple[ResultFile, list[UUID]]:
    """The file, and the objects that it had before."""
    facts = {"object_id": object_id, "size": received.size, "sha256": received.sha256}
    with engine.database.transaction() as session:
        adopt_object(session, object_id)
        outdated = _remove_former(session, upload)
        fresh = insert(ResultFile).values(**upload.model_dump(), **facts)
        fresh = fresh.on_conflict_do_nothing(index_elements=["run_id", "filename"])
        if session.scalar(fresh.returning(ResultFile.id)) is not None:
            return _hold(session, upload), outdated
        file = _hold(session, upload)
        if (file.organization_id, file.owner_id, file.job_id) != (
            upload.organization_id,
            upload.owner_id,
            upload.job_id,
        ):
            raise ResultConflictError(f"'{upload.filename}' of run {upload.run_id} belongs to another job.")
        replaced = loosen_objects(session, [file])
        file.kind = upload.kind
        file.object_id, file.size, file.sha256 = object_id, received.size, received.sha256
        return file, [*outdated, *replaced]


def _remove_former(session: Session, upload: ResultUpload) -> list[UUID]:
    """A run's results are all of one attempt; the objects of those that have to go."""
    former = hold_results_of_other_attempts(session, upload.run_id, upload.attempt)
    if any(file.attempt > upload.attempt for file in former):
        raise ResultConflictError(f"Run {upload.run_id} has results of a later attempt already.")
    removed = loosen_objects(session, former)
    for file in former:
        session.delete(file)
    session.flush()
    return removed


def _hold(session: Session, upload: ResultUpload) -> ResultFile:
    file = hold_result(session, upload.run_id, upload.filename)
    if file is None:
        raise ResultConflictError("The result was deleted while it arrived. Send it again.")
    return file


def list_results(engine: Engine, run_ids: Sequence[UUID]) -> list[ResultRecord]:
    with engine.database.transaction() as session:
        return [show_linked(engine, file) for file in list_results_of_runs(session, run_ids)]


def delete_results(engine: Engine, job_id: UUID) -> None:
    with engine.database.transaction() as session:
        files = hold_results_of_job(session, job_id)
        removed = loosen_objects(session, files)
        for file in files:
            session.delete(file)
    remove_loose(engine.database, engine.storage, removed)


def show_linked(engine: Engine, file: ResultFile) -> ResultRecord:
    return show_result(file, engine.links.sign(file.id, engine.settings.link_lifetime_s).url)
