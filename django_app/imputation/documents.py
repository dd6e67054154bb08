"""A site with all its panels as the registry is told of it; made when it is delivered."""

from typing import Any
from uuid import UUID

from django.db.models import Prefetch, QuerySet

from django_app.imputation.models import ImputationService, ReferencePanel
from django_app.outbox.documents import Producer
from microservices.contracts.curation import SITE_CHANGED, SITE_DELETED, PanelDocument, SiteDocument

_SITE_FIELDS = sorted(set(SiteDocument.model_fields) - {"credential", "panels"})


def build_site_document(service: ImputationService) -> SiteDocument:
    """With the credential in the clear: for the delivery's body and nothing else."""
    return SiteDocument.model_validate(
        {
            **{name: getattr(service, name) for name in _SITE_FIELDS},
            "credential": service.credential.reveal() if service.credential else None,
            "panels": [build_panel_document(panel) for panel in service.panels.all()],
        }
    )


def build_panel_document(panel: ReferencePanel) -> PanelDocument:
    """A panel that the site's list no longer has is told as switched off: the site would refuse a job that names it."""
    facts = {name: getattr(panel, name) for name in PanelDocument.model_fields}
    return PanelDocument.model_validate({**facts, "is_active": panel.is_active and panel.withdrawn_at is None})


def list_sites_with_panels() -> QuerySet[ImputationService]:
    """Every site, with its panels in the order in which they are told."""
    panels = Prefetch("panels", ReferencePanel.objects.order_by("panel_id"))
    return ImputationService.objects.order_by("pk").prefetch_related(panels)


def tell_site(key: str) -> dict[str, Any] | None:
    """The document of the site with the id `key`, None when it was deleted."""
    service = list_sites_with_panels().filter(pk=UUID(key)).first()
    return None if service is None else build_site_document(service).model_dump(mode="json")


SITE_PRODUCER = Producer(changed=SITE_CHANGED, deleted=SITE_DELETED, build=tell_site)
