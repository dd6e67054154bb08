"""What user_service answers to our other services."""

from uuid import UUID

from pydantic import BaseModel, Field


class CredentialRequest(BaseModel):
    """`POST /internal/site-credentials/resolve`: a person's own credential for a site, for one run (audited)."""

    user_id: UUID
    service_id: UUID
    run_id: UUID


class SiteCredential(BaseModel):
    """A secret in clear, for use at once: never stored, never logged."""

    credential: str = Field(repr=False)
