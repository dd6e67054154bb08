"""What user_service answers to our other services, and the events that it sends."""

from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

SITE_CREDENTIAL_CHANGED = "site_credential.changed"
SECOND_FACTOR_CHANGED = "second_factor.changed"

SecondFactorChange = Literal["enabled", "disabled", "reset", "codes_renewed", "recovery_code_used"]


class CredentialRequest(BaseModel):
    """`POST /internal/site-credentials/resolve`: a person's own credential for a site, for one run (audited)."""

    user_id: UUID
    service_id: UUID
    run_id: UUID


class SiteCredential(BaseModel):
    """A secret in clear, for use at once: never stored, never logged."""

    credential: str = Field(repr=False)


class PersonRecord(BaseModel):
    """An entry of `GET /internal/people?role=`: whose account is active, with the role or as an administrator."""

    user_id: UUID
    organization_id: UUID


class SiteCredentialChanged(BaseModel):
    """Data of `site_credential.changed`, subject `site-credential/<owner_id>/<service_id>`, to job_processor and
    notification: a person has set (`is_set`) or removed their credential for a site. The secret is never in it.
    """

    owner_id: UUID
    organization_id: UUID
    service_id: UUID
    is_set: bool


class SecondFactorChanged(BaseModel):
    """Data of `second_factor.changed`, subject `second-factor/<owner_id>`, to notification: what was done to the second
    factor of an account, by its owner or (`reset`) by an administrator.
    """

    owner_id: UUID
    organization_id: UUID
    change: SecondFactorChange
    recovery_codes_left: int | None = None
