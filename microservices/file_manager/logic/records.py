"""Rows as their wire shapes."""

from microservices.contracts.file_manager import FileRecord, ResultRecord
from microservices.file_manager.models import ResultFile, UploadedFile


def show_upload(file: UploadedFile) -> FileRecord:
    return FileRecord.model_validate(
        {
            "id": file.id,
            "filename": file.filename,
            "size": file.size,
            "sha256": file.facts.sha256,
            "status": file.status,
            "created_at": file.created_at,
        }
    )


def show_result(file: ResultFile, download_url: str) -> ResultRecord:
    return ResultRecord.model_validate(
        {
            "id": file.id,
            "run_id": file.run_id,
            "filename": file.filename,
            "kind": file.kind,
            "size": file.size,
            "sha256": file.sha256,
            "download_url": download_url,
        }
    )
