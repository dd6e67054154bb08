from collections.abc import Mapping
from typing import Any

from microservices.kernel.errors import ConflictError, ForbiddenError, InvalidInputError, NotFoundError, ServiceError


class JobNotFoundError(NotFoundError):
    code, title = "job_not_found", "There is no such job"


class InputFileNotFoundError(NotFoundError):
    code, title = "file_not_found", "There is no such file"


class PanelNotFoundError(NotFoundError):
    code, title = "panel_not_found", "There is no such panel at this site"


class SiteNotFoundError(NotFoundError):
    code, title = "service_not_found", "There is no such site"


class TemplateNotFoundError(NotFoundError):
    code, title = "template_not_found", "There is no such template"


class FileNotReadyError(ConflictError):
    code, title = "file_not_ready", "The file is still being checked"


class FileRejectedError(InvalidInputError):
    code, title = "file_rejected", "The file did not pass its check"


class JobRefusedError(InvalidInputError):
    """The job could only fail at the site, so it is refused here, with what to change."""

    code, title = "job_refused", "This job cannot succeed as it is"


class JobStateError(ConflictError):
    code, title = "job_state", "The job's state does not allow this"


class QuotaExceededError(ServiceError):
    """`quota`: which one, how much of it is used, and when it frees (in the problem document).

    What exceeds a quota all by itself is forbidden; anything else may be tried again later.
    """

    status, code, title = 429, "quota_exceeded", "A quota is used up"

    def __init__(self, detail: str, quota: Mapping[str, Any], *, never: bool, retry_after_s: int | None) -> None:
        super().__init__(detail, headers={"Retry-After": str(retry_after_s)} if retry_after_s and not never else None)
        self.quota = dict(quota)
        if never:
            self.status = 403

    def to_problem(self, request_id: str) -> dict[str, Any]:
        return super().to_problem(request_id) | {"quota": self.quota}


class ResultsNotFoundError(NotFoundError):
    code, title = "results_not_found", "There are no results"


class TicketInvalidError(ForbiddenError):
    code, title = "link_invalid", "The link is not valid"


class TicketExpiredError(ForbiddenError):
    code, title = "link_expired", "The link is no longer good"
