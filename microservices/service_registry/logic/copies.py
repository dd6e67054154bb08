"""The registry's copies as their owner compares them with its own: by version and content."""

from collections.abc import Iterable
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy.orm import Session

from microservices.contracts.curation import SiteDocument, fingerprint_document
from microservices.contracts.registry import CopyState
from microservices.kernel.crypto import DecryptionError, FieldCipher
from microservices.service_registry.errors import UnreadableCopyError
from microservices.service_registry.logic.catalogue import describe_copy, get_service
from microservices.service_registry.models import ImputationService, ReferencePanel
from microservices.service_registry.queries.catalogue import list_site_panels, list_sites
from microservices.service_registry.queries.copies import group_panels, read_told_versions


def list_copies(session: Session, cipher: FieldCipher, nonce: str) -> list[CopyState]:
    """Sites that are here, and those that were deleted."""
    versions = read_told_versions(session)
    panels = group_panels(session)
    copies = [
        CopyState(
            id=site.id,
            version=versions.pop(site.id, None),
            fingerprint=_fingerprint(site, panels.get(site.id, ()), cipher, nonce),
        )
        for site in list_sites(session)
    ]
    gone = [CopyState(id=site_id, version=version, fingerprint=None) for site_id, version in versions.items()]
    return copies + gone


def _fingerprint(site: ImputationService, panels: Iterable[ReferencePanel], cipher: FieldCipher, nonce: str) -> str:
    """Empty for what the registry cannot use: changed past its rules, or encrypted with a key that it has no longer."""
    try:
        secret = None if site.credential_encrypted is None else cipher.decrypt(site.credential_encrypted)
        return fingerprint_document(describe_copy(site, panels, secret), nonce)
    except (ValidationError, DecryptionError):
        return ""


def show_copy(session: Session, service_id: UUID) -> SiteDocument:
    """What is stored of a site, as it was sent; never its credential. Raises `UnreadableCopyError`."""
    site = get_service(session, service_id)
    try:
        return describe_copy(site, list_site_panels(session, service_id))
    except ValidationError as error:
        places = sorted({".".join(map(str, finding["loc"])) for finding in error.errors()})
        raise UnreadableCopyError(f"What is stored of this site is not valid: {', '.join(places)}.") from None
