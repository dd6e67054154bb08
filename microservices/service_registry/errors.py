"""What the registry refuses, beyond what every service refuses."""

from microservices.kernel.errors import ConflictError, DependencyUnavailableError, InvalidInputError, NotFoundError


class ServiceNotFoundError(NotFoundError):
    code, title = "service_not_found", "No such imputation service"

    def __init__(self) -> None:
        super().__init__("There is no imputation service with this id. GET /api/v1/services lists them.")


class PanelNotFoundError(NotFoundError):
    code, title = "panel_not_found", "No such reference panel"

    def __init__(self) -> None:
        super().__init__("There is no reference panel with this id. GET /api/v1/panels lists them.")


class CredentialNotSharedError(NotFoundError):
    """Also for a site without a curated credential: in both cases the run needs one of its own."""

    code, title = "credential_not_shared", "The site has no credential for everybody's runs"


class ServiceInactiveError(ConflictError):
    code, title = "service_inactive", "The imputation service is switched off"


class CheckUnfinishedError(DependencyUnavailableError):
    code, title = "check_unfinished", "The health check has not finished"


class DocumentRefusedError(InvalidInputError):
    """The producer parks the subject and shows this text to a curator; values are not repeated (secrets)."""

    code, title = "document_refused", "The site's document cannot be stored"


class UnreadableCopyError(ConflictError):
    code, title = "copy_unreadable", "What is stored of the site cannot be read"
