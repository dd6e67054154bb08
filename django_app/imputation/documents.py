"""A site with all its panels as the registry is told of it; made when it is delivered."""

from typing import Any
from uuid import UUID

from django_app.imputation.models import ImputationService, ReferencePanel
from django_app.outbox.documents import Producer
from microservices.contracts.curation import SITE_CHANGED, SITE_DELETED, PanelDocument, SiteDocument

_SITE_FIELDS = sorted(set(SiteDocument.model_fields) - {"credential", "panels"})


def build_site_document(service: ImputationService, panels: list[ReferencePanel]) -> SiteDocument:
    """With the credential in the clear: for the delivery's body and nothing else."""
    return SiteDocument.model_validate(
        {
            **{name: getattr(service, name) for name in _SITE_FIELDS},
            "credential": service.credential.reveal() if service.credential else None,
            "panels": [build_panel_document(panel) for panel in panels],
        }
    )


def build_panel_document(panel: ReferencePanel) -> PanelDocument:
    return PanelDocument.model_validate({name: getattr(panel, name) for name in PanelDocument.model_fields})


def tell_site(key: str) -> dict[str, Any] | None:
    """The document of the site with the id `key`, None when it was deleted."""
    service = ImputationService.objects.filter(pk=UUID(key)).first()
    if service is None:
        return None
    panels = list(ReferencePanel.objects.filter(service=service).order_by("panel_id"))
    return build_site_document(service, panels).model_dump(mode="json")


SITE_PRODUCER = Producer(changed=SITE_CHANGED, deleted=SITE_DELETED, build=tell_site)
