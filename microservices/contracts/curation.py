"""What Django says about sites and panels.

The subject of curation is a site with all its panels as one document, so no panel arrives before its site.
"""

import hmac
import json
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema

API_TYPES = ["michigan", "ga4gh"]
"""Every kind of site that the platform has an adapter for (`microservices.backends.registry`)."""


def check_api_type(name: str) -> str:
    if name not in API_TYPES:
        raise ValueError(f"must be one of: {', '.join(API_TYPES)}")
    return name


ApiType = Annotated[str, AfterValidator(check_api_type), WithJsonSchema({"type": "string", "enum": API_TYPES})]
Build = Literal["hg19", "hg38"]

SITE_CHANGED = "site.changed"
SITE_DELETED = "site.deleted"


class ApiConfig(BaseModel):
    """A curator's settings of one site; every field is optional (`_s`: seconds)."""

    model_config = ConfigDict(extra="forbid")

    allow_private_network: bool = False
    connect_timeout_s: float = Field(default=30, gt=0, le=120)
    request_timeout_s: float = Field(default=10, gt=0, le=120)
    health_interval_s: float = Field(default=300, ge=1)
    max_concurrent_jobs: int | None = Field(default=None, ge=1)
    poll_first_s: float = Field(default=30, ge=0.1)
    poll_max_s: float = Field(default=300, ge=0.1)
    hold_retry_s: float = Field(default=10, ge=0.1)
    app: str | None = None
    max_downloads: int | None = Field(default=None, ge=1)
    input_mode: Literal["attachment", "url"] | None = None
    output_root: str | None = None
    token_url: str | None = None


class PanelDocument(BaseModel):
    """One reference panel; `panel_id` is the site's own id, never its display name."""

    id: UUID
    name: str
    panel_id: str
    populations: list[str]
    build: Build
    samples_count: int | None = None
    variants_count: int | None = None
    is_active: bool = True
    recipe: dict[str, Any] | None = None


class SiteDocument(BaseModel):
    """One site with all its panels.

    `credential` is filled in at delivery only: it is never in an outbox or inbox row, a log or an answer.
    """

    id: UUID
    name: str
    service_type: str = "imputation"
    api_type: ApiType
    base_url: str
    location: str = ""
    country: str = ""
    requires_auth: bool = True
    credential: str | None = Field(default=None, repr=False)
    credential_shared: bool = False
    ca_pem: str | None = None
    api_config: ApiConfig = Field(default_factory=ApiConfig)
    is_active: bool = True
    max_file_size_mb: int | None = None
    supported_formats: list[str] = Field(default_factory=lambda: ["vcf.gz"])
    min_samples: int | None = None
    max_samples: int | None = None
    panels: list[PanelDocument] = Field(default_factory=list)


def fingerprint_document(document: SiteDocument, nonce: str) -> str:
    """The same for the same content, credential included, whatever the order of panels and keys (HMAC-SHA256, hex).

    Both sides make it to compare their copies. `nonce` is random and new for each comparison: the fingerprint of a
    secret is of no use afterwards, and is kept nowhere.
    """
    facts = document.model_dump(mode="json")
    facts["panels"].sort(key=lambda panel: panel["id"])
    text = json.dumps(facts, sort_keys=True, separators=(",", ":"))
    return hmac.digest(nonce.encode(), text.encode(), "sha256").hex()
