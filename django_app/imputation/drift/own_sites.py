"""Our side of the comparison."""

from dataclasses import dataclass
from uuid import UUID

from django.db import connection, transaction
from pydantic import ValidationError

from django_app.imputation.documents import build_site_document, list_sites_with_panels
from django_app.imputation.models import ImputationService, site_subject
from django_app.outbox.models import Delivery, Subject
from microservices.contracts.curation import SiteDocument, fingerprint_document
from microservices.kernel.crypto import DecryptionError

_SITE = "site/"


@dataclass(frozen=True)
class OwnSite:
    """`exists`: it was not deleted. `document`: None also where it cannot be made. `waiting`: for its delivery."""

    name: str
    version: int
    exists: bool
    document: SiteDocument | None
    fingerprint: str
    waiting: Delivery | None


def read_own_sites(nonce: str) -> dict[UUID, OwnSite]:
    """All of the catalogue, with the sites that were deleted, as of one moment."""
    with transaction.atomic(durable=True):
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        services = {service.pk: service for service in list_sites_with_panels()}
        waiting = {row.subject: row for row in Delivery.objects.filter(delivered_at=None).order_by("attempts", "id")}
        subjects = Subject.objects.filter(name__startswith=_SITE).values_list("name", "version")
        versions = {UUID(name.removeprefix(_SITE)): version for name, version in subjects}
    return {
        key: _describe(services.get(key), versions.get(key, 0), waiting.get(site_subject(key)), nonce)
        for key in services.keys() | versions.keys()
    }


def _describe(service: ImputationService | None, version: int, waiting: Delivery | None, nonce: str) -> OwnSite:
    if service is None:
        return OwnSite("", version, False, None, "", waiting)
    try:
        document = build_site_document(service)
    except (DecryptionError, ValidationError):
        return OwnSite(service.name, version, True, None, "", waiting)
    return OwnSite(service.name, version, True, document, fingerprint_document(document, nonce), waiting)
