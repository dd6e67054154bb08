"""Sites as our other services need them: whole, and with the curated credential only where it is shared."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy.orm import Session

from microservices.contracts.curation import PanelDocument, SiteDocument
from microservices.contracts.registry import SiteRecord
from microservices.contracts.user_service import SiteCredential
from microservices.kernel.crypto import FieldCipher
from microservices.kernel.logs import get_logger
from microservices.service_registry.errors import CredentialNotSharedError, ServiceNotFoundError
from microservices.service_registry.models import ImputationService, ReferencePanel
from microservices.service_registry.queries.catalogue import find_service, list_site_panels, record_access

log = get_logger(__name__)

_COPIED = set(SiteDocument.model_fields) - {"credential", "panels"}


def get_service(session: Session, service_id: UUID) -> ImputationService:
    """Raises `ServiceNotFoundError`."""
    site = find_service(session, service_id)
    if site is None:
        raise ServiceNotFoundError
    return site


def describe_site(session: Session, service_id: UUID) -> SiteRecord:
    """`site.is_active` is the effective one: a site that was silent for too long refuses new runs too."""
    site = get_service(session, service_id)
    copy = describe_copy(site, list_site_panels(session, service_id))
    return SiteRecord.model_validate(
        {
            "site": copy.model_copy(update={"is_active": site.is_in_use}),
            "is_available": site.is_available,
            "health_status": site.health_status,
            "has_credential": site.has_credential,
            "capabilities": site.capabilities,
        }
    )


def describe_copy(
    site: ImputationService, panels: Iterable[ReferencePanel], credential: str | None = None
) -> SiteDocument:
    """The site's document as it was sent, read back from what is stored."""
    facts = {name: getattr(site, name) for name in _COPIED}
    return SiteDocument.model_validate(
        {**facts, "credential": credential, "panels": [_describe_panel(panel) for panel in panels]}
    )


def _describe_panel(panel: ReferencePanel) -> PanelDocument:
    return PanelDocument.model_validate({name: getattr(panel, name) for name in PanelDocument.model_fields})


def hand_out_credential(
    session: Session, cipher: FieldCipher, service_id: UUID, *, run_id: UUID, client_id: str
) -> SiteCredential:
    """The curated credential for one run, audited. An inactive site's too: its running jobs still need it.

    Raises `CredentialNotSharedError` where the curator has not shared it with everybody's runs, or there is none.
    """
    site = get_service(session, service_id)
    if site.credential_encrypted is None:
        raise CredentialNotSharedError("The site has no curated credential. Add your own token for this site.")
    if site.requires_auth and not site.credential_shared:
        raise CredentialNotSharedError("The site's curated credential is not shared. Add your own token for this site.")
    record_access(session, service_id, run_id, client_id)
    log.info("curated_secret_handed_out", service_id=str(service_id), run_id=str(run_id), client_id=client_id)
    return SiteCredential(credential=cipher.decrypt(site.credential_encrypted))
