"""What people and our services send to this service, and what it answers."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, StringConstraints

from microservices.kernel.pagination import ListQuery

PASSWORD_MIN = 10
PASSWORD_MAX = 256
OTP_MAX = 64
_PRINTABLE = r"^[^\x00-\x1f\x7f]*$"

Name = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=_PRINTABLE, strict=True)
]


def require_text(given: SecretStr) -> SecretStr:
    """JSON can hold half of a surrogate pair, which no hash takes. The words must not repeat the secret."""
    try:
        given.get_secret_value().encode()
    except UnicodeEncodeError:
        raise ValueError("holds something that is no character") from None
    return given


Password = Annotated[SecretStr, Field(min_length=PASSWORD_MIN, max_length=PASSWORD_MAX), AfterValidator(require_text)]
GivenPassword = Annotated[SecretStr, Field(min_length=1, max_length=1024), AfterValidator(require_text)]
GivenCode = Annotated[SecretStr, Field(min_length=1, max_length=OTP_MAX), AfterValidator(require_text)]


def normalize_email(given: str) -> str:
    """The one form in which an address is kept and looked up. Raises ValueError (in pydantic: a 400)."""
    try:
        return validate_email(given, check_deliverability=False).normalized.lower()
    except EmailNotValidError as error:
        raise ValueError(str(error)) from error


Email = Annotated[str, StringConstraints(max_length=254, strict=True), AfterValidator(normalize_email)]


class StrictModel(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Registration(StrictModel):
    """`organization` names a new one; without it the person gets an organisation of their own."""

    email: Email
    password: Password
    full_name: Name
    organization: Name | None = None


class ProvisionedAccount(Registration):
    """An account that whoever runs the platform asks for; its organisation may exist already.

    `reset_mfa` takes its second factor away: for the one administrator whom no other can help.
    """

    roles: list[str] = Field(default=["researcher"], min_length=1, max_length=10)
    tier: str = Field(default="development", pattern=r"^[a-z_]{1,40}$")
    reset_mfa: bool = False


class ProfileChange(StrictModel):
    """Fields that are left out stay as they are; `affiliation: null` empties it."""

    full_name: Name = ""
    affiliation: Name | None = None


class OrganizationRecord(BaseModel):
    id: UUID
    name: str


class UserRecord(BaseModel):
    """`email_verification` is off: no mail server is set, so addresses are taken as they are given."""

    id: UUID
    email: str
    email_verified: bool
    email_verification: Literal["off"] = "off"
    full_name: str
    affiliation: str | None
    organization: OrganizationRecord
    roles: list[str]
    permissions: list[str]
    tier: str
    is_active: bool
    mfa_enabled: bool
    created_at: datetime


class TokenForm(BaseModel):
    """RFC 6749 sections 4.3, 4.4 and 6; parameters that are not known are ignored, as section 3.2 asks."""

    grant_type: str = Field(min_length=1, max_length=100)
    username: str | None = Field(default=None, max_length=320)
    password: SecretStr | None = Field(default=None, max_length=1024)
    otp: SecretStr | None = Field(default=None, max_length=OTP_MAX)
    refresh_token: SecretStr | None = Field(default=None, max_length=512)
    client_id: str | None = Field(default=None, max_length=100)
    client_secret: SecretStr | None = Field(default=None, max_length=512)


class TokenAnswer(BaseModel):
    """`expires_in` in seconds. Services get no refresh token: they have their secret."""

    access_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105
    expires_in: int
    refresh_token: str | None = None
    scope: str | None = None


class PublicKey(BaseModel):
    """A public key of RFC 7517, for ES256."""

    kty: Literal["EC"]
    crv: Literal["P-256"]
    alg: Literal["ES256"]
    use: Literal["sig"]
    kid: str
    x: str
    y: str


class KeySet(BaseModel):
    keys: list[PublicKey]


class CredentialInput(StrictModel):
    """A site's token, or `user:password`; spaces and line ends around it come from copying, and are dropped."""

    credential: Annotated[
        str, StringConstraints(strip_whitespace=True, min_length=1, max_length=8192, pattern=_PRINTABLE, strict=True)
    ] = Field(repr=False)


class CredentialRecord(BaseModel):
    """That there is a credential, and since when; never the credential."""

    service_id: UUID
    set_at: datetime


class CredentialQuery(ListQuery):
    sort: str = "-set_at"


class Enrolment(StrictModel):
    """The password, so that a page left open gives nobody else a second factor of this account."""

    password: GivenPassword


class Confirmation(StrictModel):
    otp: GivenCode


class Proof(StrictModel):
    """That it is the account's owner; `otp` may be a recovery code."""

    password: GivenPassword
    otp: GivenCode


class MfaRecord(BaseModel):
    enabled: bool
    enabled_at: datetime | None
    recovery_codes_left: int


class EnrolmentAnswer(BaseModel):
    """For an authenticator app: the secret (base32) to type, or a URI to show as a QR code. Never shown again."""

    secret: str
    otpauth_uri: str


class RecoveryCodes(BaseModel):
    """Each takes the place of a code, once. Never shown again."""

    recovery_codes: list[str]


class PeopleQuery(ListQuery):
    """`q`: a part of the e-mail address or the name, whatever its letters' case."""

    q: str | None = Field(default=None, max_length=254, pattern=_PRINTABLE)
