from microservices.kernel.errors import ConflictError, InvalidInputError, NotFoundError


class JobNotFoundError(NotFoundError):
    code, title = "job_not_found", "There is no such job"


class InputFileNotFoundError(NotFoundError):
    code, title = "file_not_found", "There is no such file"


class PanelNotFoundError(NotFoundError):
    code, title = "panel_not_found", "There is no such panel at this site"


class SiteNotFoundError(NotFoundError):
    code, title = "service_not_found", "There is no such site"


class FileNotReadyError(ConflictError):
    code, title = "file_not_ready", "The file is still being checked"


class FileRejectedError(InvalidInputError):
    code, title = "file_rejected", "The file did not pass its check"


class JobRefusedError(InvalidInputError):
    """The job could only fail at the site, so it is refused here, with what to change."""

    code, title = "job_refused", "This job cannot succeed as it is"


class JobStateError(ConflictError):
    code, title = "job_state", "The job's state does not allow this"
