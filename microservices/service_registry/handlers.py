"""What Django tells: a site has changed, a site is gone."""

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy.orm import Session

from microservices.contracts.curation import SITE_CHANGED, SITE_DELETED
from microservices.contracts.registry import SERVICE_CHANGED, ServiceChanged
from microservices.kernel.crypto import FieldCipher
from microservices.kernel.events import Event
from microservices.kernel.inbox import EventHandler, advance_version
from microservices.kernel.logs import get_logger
from microservices.kernel.outbox import record_event
from microservices.service_registry.logic.documents import read_document, read_subject, store_document
from microservices.service_registry.queries.catalogue import delete_service, find_service

log = get_logger(__name__)


def site_handlers(cipher: FieldCipher) -> Mapping[str, EventHandler]:
    """Handlers by event type; `cipher` holds the registry's own keys, which no other service has."""

    def apply_change(session: Session, event: Event) -> bool:
        document = read_document(event)
        if not advance_version(session, event):
            return False
        store_document(session, document, cipher)
        _announce(session, ServiceChanged(service_id=document.id, name=document.name, is_deleted=False))
        log.info("site_stored", service_id=str(document.id), version=event.dataversion, panels=len(document.panels))
        return True

    def apply_deletion(session: Session, event: Event) -> bool:
        site_id = read_subject(event)
        if not advance_version(session, event):
            return False
        _announce_deletion(session, site_id)
        delete_service(session, site_id)
        log.info("site_deleted", service_id=str(site_id), version=event.dataversion)
        return True

    return {SITE_CHANGED: apply_change, SITE_DELETED: apply_deletion}


def _announce_deletion(session: Session, site_id: UUID) -> None:
    site = find_service(session, site_id, lock=True)  # in the order of the prober: the row, then its events
    if site is not None:
        _announce(session, ServiceChanged(service_id=site_id, name=site.name, is_deleted=True))


def _announce(session: Session, change: ServiceChanged) -> None:
    record_event(
        session,
        type=SERVICE_CHANGED,
        subject=f"site/{change.service_id}",
        data=change.model_dump(),
        subscribers=["notification"],
    )
