"""What Django tells: a site has changed, a site is gone."""

from collections.abc import Mapping

from sqlalchemy.orm import Session

from microservices.contracts.curation import SITE_CHANGED, SITE_DELETED
from microservices.kernel.crypto import FieldCipher
from microservices.kernel.events import Event
from microservices.kernel.inbox import EventHandler, advance_version
from microservices.kernel.logs import get_logger
from microservices.service_registry.logic.documents import read_document, read_subject, store_document
from microservices.service_registry.queries.catalogue import delete_service

log = get_logger(__name__)


def site_handlers(cipher: FieldCipher) -> Mapping[str, EventHandler]:
    """Handlers by event type; `cipher` holds the registry's own keys, which no other service has."""

    def apply_change(session: Session, event: Event) -> bool:
        document = read_document(event)
        if not advance_version(session, event):
            return False
        store_document(session, document, cipher)
        log.info("site_stored", service_id=str(document.id), version=event.dataversion, panels=len(document.panels))
        return True

    def apply_deletion(session: Session, event: Event) -> bool:
        site_id = read_subject(event)
        if not advance_version(session, event):
            return False
        delete_service(session, site_id)
        log.info("site_deleted", service_id=str(site_id), version=event.dataversion)
        return True

    return {SITE_CHANGED: apply_change, SITE_DELETED: apply_deletion}
