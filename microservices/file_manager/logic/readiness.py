"""Whether an upload may be a run's input."""

from uuid import UUID

from sqlalchemy.orm import Session

from microservices.file_manager.errors import FileNotReadyError, FileRejectedError, StoredFileNotFoundError
from microservices.file_manager.models import UploadedFile


def find_ready(session: Session, file_id: UUID) -> UploadedFile:
    """An upload that passed its check. Raises `StoredFileNotFoundError`, `FileRejectedError`, `FileNotReadyError`."""
    file = session.get(UploadedFile, file_id)
    if file is None:
        raise StoredFileNotFoundError(f"There is no upload {file_id}.")
    if file.status == "rejected":
        raise FileRejectedError(f"'{file.filename}' did not pass its check.")
    if file.status != "ready":
        raise FileNotReadyError(f"'{file.filename}' is still being checked.")
    return file
