"""What can be wrong with a file, a link or the storage, each with its status and stable code."""

from microservices.kernel.errors import (
    ConflictError,
    DependencyUnavailableError,
    ForbiddenError,
    InvalidInputError,
    NotFoundError,
    ServiceError,
    TooLargeError,
)


class StoredFileNotFoundError(NotFoundError):
    code, title = "file_not_found", "There is no such file"


class FileNotReadyError(ConflictError):
    code, title = "file_not_ready", "The file is not checked yet"


class FileRejectedError(ConflictError):
    code, title = "file_rejected", "The file did not pass its check"


class FileInUseError(ConflictError):
    code, title = "file_in_use", "The file is the input of an unfinished job"


class RunEndedError(ConflictError):
    code, title = "run_ended", "The run has ended"


class EmptyFileError(InvalidInputError):
    code, title = "file_empty", "The file has no bytes"


class ChecksumMismatchError(InvalidInputError):
    code, title = "checksum_mismatch", "The bytes are not those that were announced"


class IncompleteUploadError(InvalidInputError):
    code, title = "upload_incomplete", "The upload ended before its last byte"


class MultipartBodyError(ServiceError):
    status, code, title = 415, "unsupported_media_type", "The body must be the file itself"


class FileTooLargeError(TooLargeError):
    code, title = "file_too_large", "The file is too large"


class RangeNotSatisfiableError(ServiceError):
    status, code, title = 416, "range_not_satisfiable", "The file has no such bytes"


class LinkExpiredError(ForbiddenError):
    code, title = "link_expired", "The download link has expired"


class LinkInvalidError(ForbiddenError):
    code, title = "link_invalid", "The download link is not valid"


class LinkRevokedError(ForbiddenError):
    code, title = "link_revoked", "The link was withdrawn"


class StorageFullError(ServiceError):
    status, code, title = 507, "storage_full", "There is no room for the file"


class StorageUnavailableError(DependencyUnavailableError):
    code, title = "storage_unavailable", "The storage does not answer"


class ResultConflictError(ConflictError):
    code, title = "result_conflict", "The result cannot be stored"


class ResultsNotFoundError(NotFoundError):
    code, title = "results_not_found", "There are no results"
