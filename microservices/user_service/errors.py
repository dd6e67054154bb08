"""What may go wrong here, with its HTTP meaning."""

from typing import Any

from microservices.kernel.errors import ConflictError, ForbiddenError, NotFoundError, ServiceError

WRONG_CODE = "The code is wrong, or was used already: each is taken once. Wait for your app's next code."


class EmailTakenError(ConflictError):
    code, title = "email_taken", "There is an account with this e-mail address"


class OrganizationTakenError(ConflictError):
    code, title = "organization_taken", "There is an organisation of this name"


class AccountInactiveError(ForbiddenError):
    code, title = "account_inactive", "This account has been deactivated"


class CredentialNotFoundError(NotFoundError):
    code, title = "site_credential_not_found", "No credential for this site"


class UserNotFoundError(NotFoundError):
    code, title = "user_not_found", "No such account"


class SecondFactorOnError(ConflictError):
    code, title = "mfa_enabled", "The second factor is on already"


class SecondFactorOffError(ConflictError):
    code, title = "mfa_disabled", "The second factor is not on"


class WrongPasswordError(ForbiddenError):
    """403: the access token was good, so 401 would make clients throw it away."""

    code, title = "wrong_password", "The password is wrong"


class WrongCodeError(ForbiddenError):
    code, title = "otp_invalid", "The code is wrong"

    def __init__(self) -> None:
        super().__init__(WRONG_CODE)


class TooManyAttemptsError(ServiceError):
    status, code, title = 429, "too_many_attempts", "Too many failed log-ins"

    def __init__(self, retry_after_s: int, what: str = "log-ins have failed") -> None:
        detail = f"Too many {what}. Wait {retry_after_s} s before the next."
        super().__init__(detail, headers={"Retry-After": str(retry_after_s)})


class GrantError(ServiceError):
    """A refusal of the token endpoint.

    400, as RFC 6749 section 5.2 has it, since no access token was at fault; and with that section's `error` and
    `error_description` beside the problem's own fields, so that any OAuth 2 library understands it.
    """

    status, title = 400, "No token for this"

    def __init__(self, code: str, detail: str, *, oauth_error: str = "") -> None:
        super().__init__(detail, code=code)
        self._oauth_error = oauth_error or code

    def to_problem(self, request_id: str) -> dict[str, Any]:
        problem = super().to_problem(request_id)
        return {**problem, "error": self._oauth_error, "error_description": self.detail}


class InvalidClientError(GrantError):
    """Always the same words: whether a client exists is nobody's business."""

    status = 401

    def __init__(self) -> None:
        super().__init__("invalid_client", "The client's id or secret is wrong.")
        self.headers["WWW-Authenticate"] = 'Basic realm="imputehub"'
