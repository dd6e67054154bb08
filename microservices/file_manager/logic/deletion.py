"""Deleting an upload: only when no unfinished job needs it, and so that a crash leaves no bytes behind."""

from uuid import UUID

from pydantic import ValidationError

from microservices.contracts.job_processor import FileUsage
from microservices.file_manager.errors import FileInUseError, StoredFileNotFoundError
from microservices.file_manager.logic.engine import Engine
from microservices.file_manager.logic.loose import loosen_objects, remove_loose
from microservices.file_manager.ownership import Owner
from microservices.file_manager.queries import find_upload
from microservices.kernel.errors import NotFoundError, UpstreamRefusedError

_UNKNOWN = "There is no such file among yours."


def delete_upload(engine: Engine, owner: Owner, file_id: UUID) -> None:
    """Raises `StoredFileNotFoundError`, `FileInUseError`, and 502/503 when job_processor cannot be asked."""
    with engine.database.transaction() as session:
        if find_upload(session, owner, file_id) is None:
            raise StoredFileNotFoundError(_UNKNOWN)
    if _is_in_use(engine, file_id):
        raise FileInUseError("A job that is not finished uses the file. Cancel the job first, or wait for its end.")
    with engine.database.transaction() as session:
        file = find_upload(session, owner, file_id)
        if file is None:
            raise StoredFileNotFoundError(_UNKNOWN)
        removed = loosen_objects(session, [file])
        session.delete(file)
    remove_loose(engine.database, engine.storage, removed)


def _is_in_use(engine: Engine, file_id: UUID) -> bool:
    try:
        answer = engine.jobs.call("GET", f"/internal/files/{file_id}/usage")
        return FileUsage.model_validate(answer).in_use
    except (NotFoundError, ValidationError, ValueError) as error:
        raise UpstreamRefusedError("job_processor cannot tell whether a job uses the file.") from error
