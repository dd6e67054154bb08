"""A curator's site with all its panels, as Django sends it: read, checked, and made the registry's own copy."""

from typing import Any
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm import Session

from microservices.contracts.curation import SiteDocument
from microservices.kernel.crypto import FieldCipher
from microservices.kernel.db import utc_now
from microservices.kernel.events import Event
from microservices.service_registry.errors import DocumentRefusedError
from microservices.service_registry.models import ImputationService
from microservices.service_registry.queries.catalogue import find_service, replace_panels
from microservices.service_registry.queries.channels import SITE_DUE, ring

_PROBED = ("base_url", "api_type", "ca_pem", "api_config", "is_active")


def read_subject(event: Event) -> UUID:
    """The site's id of subject `site/<uuid>`."""
    kind, _, identifier = event.subject.partition("/")
    try:
        if kind == "site":
            return UUID(identifier)
    except ValueError:
        pass
    raise DocumentRefusedError("subject: a site's is 'site/<uuid>'")


def read_document(event: Event) -> SiteDocument:
    """Raises `DocumentRefusedError` with the places that are wrong, never with what stands there."""
    site_id = read_subject(event)
    _refuse_unstorable(event.data, "data")
    try:
        document = SiteDocument.model_validate(event.data)
    except ValidationError as error:
        found = [
            {"field": ".".join(map(str, finding["loc"])), "message": finding["msg"]}
            for finding in error.errors(include_input=False, include_context=False, include_url=False)
        ]
        raise DocumentRefusedError(f"{found[0]['field']}: {found[0]['message']}", errors=found) from None
    if document.id != site_id:
        raise DocumentRefusedError("id: not the site that the subject names")
    if len({panel.id for panel in document.panels}) < len(document.panels):
        raise DocumentRefusedError("panels: one is there twice")
    return document


def _refuse_unstorable(value: Any, place: str) -> None:
    """PostgreSQL stores neither NUL nor half a surrogate pair, which JSON can both carry."""
    if isinstance(value, str) and ("\x00" in value or (not value.isascii() and _is_broken(value))):
        raise DocumentRefusedError(f"{place}: holds characters that cannot be stored")
    if isinstance(value, dict):
        for name, part in value.items():
            _refuse_unstorable(name, place)
            _refuse_unstorable(part, f"{place}.{name}")
    if isinstance(value, list):
        for index, part in enumerate(value):
            _refuse_unstorable(part, f"{place}.{index}")


def _is_broken(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def store_document(session: Session, document: SiteDocument, cipher: FieldCipher) -> None:
    """The site and all its panels as one; a site that is new, or is to be reached otherwise, is probed at once."""
    try:
        site = find_service(session, document.id, lock=True)
        before = _probed_facts(site)
        site = site or _add_site(session, document.id)
        _copy_facts(site, document, cipher)
        if before != _probed_facts(site):
            _start_over(session, site)
        session.flush()
        replace_panels(session, document.id, [panel.model_dump() for panel in document.panels])
    except (DataError, IntegrityError) as error:
        reason = str(getattr(error.orig, "diag", None) and error.orig.diag.message_primary)  # type: ignore[union-attr]
        raise DocumentRefusedError(f"The document cannot be stored: {reason}.") from None


def _add_site(session: Session, site_id: UUID) -> ImputationService:
    site = ImputationService(id=site_id, health_status="unknown", is_available=False)
    session.add(site)
    return site


def _copy_facts(site: ImputationService, document: SiteDocument, cipher: FieldCipher) -> None:
    for name, value in document.model_dump(exclude={"id", "credential", "panels"}).items():
        setattr(site, name, value)
    site.credential_encrypted = None if document.credential is None else cipher.encrypt(document.credential)
    site.updated_at = utc_now()


def _probed_facts(site: ImputationService | None) -> list[Any]:
    return [] if site is None else [getattr(site, name) for name in _PROBED]


def _start_over(session: Session, site: ImputationService) -> None:
    """What was known is of another address; a probe that is on its way to that one loses its claim."""
    site.claim_id = site.claimed_until = None
    site.offline_since = site.answering_since = site.auto_deactivated_at = site.capabilities = None
    if site.is_active:
        site.next_check_at = utc_now()
        ring(session, SITE_DUE)
    else:
        site.health_status, site.is_available, site.error_message = "unknown", False, None
