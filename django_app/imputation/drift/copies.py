"""The registry's copies of our sites, asked for over HTTP."""

from functools import cache
from uuid import UUID

from django.conf import settings
from pydantic import TypeAdapter

from microservices.contracts.curation import SiteDocument
from microservices.contracts.registry import CopyState
from microservices.kernel.service_tokens import PeerClient, ServiceTokens

_READING_S = 30  # thousands of sites, with their panels
_STATES = TypeAdapter(list[CopyState])
_PATH = "/internal/catalogue/copies"


@cache
def open_registry() -> PeerClient:
    """One per process: its connection and its token outlive the requests."""
    environment = settings.ENVIRONMENT
    tokens = ServiceTokens(environment.authority_url, "django", environment.client_secret)
    return PeerClient("service_registry", environment.registry_url, tokens, timeout_s=_READING_S)


def read_copies(nonce: str) -> dict[UUID, CopyState]:
    """Raises `DependencyUnavailableError` and `UpstreamRefusedError`."""
    states = _STATES.validate_python(open_registry().call("GET", _PATH, params={"nonce": nonce}))
    return {state.id: state for state in states}


def read_copy(service_id: UUID) -> SiteDocument:
    """What the registry holds of a site, but for the credential. Raises `NotFoundError` and what `read_copies` does."""
    return SiteDocument.model_validate(open_registry().call("GET", f"{_PATH}/{service_id}"))
