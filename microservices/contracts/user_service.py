"""What user_service answers to our other services, and the events that it sends."""

from uuid import UUID

from pydantic import BaseModel, Field

SITE_CREDENTIAL_CHANGED = "site_credential.changed"


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
