"""The catalogue as GA4GH's Service Registry 1.0.0 tells it (service-registry.yaml, with Service of service-info 1.0.0).

What is told is for anybody, as in other registries of that kind: what a site says of itself to strangers, and where it
is. So no credential, setting or finding of ours is in it, and sites on internal networks are left out, since their
addresses are of use to nobody outside, and nobody's business; unless the whole platform runs on one machine to try.
"""

from collections.abc import Iterable
from importlib.metadata import version
from typing import Literal
from urllib.parse import urlsplit

from sqlalchemy.orm import Session

from microservices.service_registry.errors import ServiceNotFoundError
from microservices.service_registry.ga4gh_schemas import (
    ExternalService,
    ExternalServices,
    Organization,
    Service,
    ServiceType,
    ServiceTypes,
)
from microservices.service_registry.models import ImputationService
from microservices.service_registry.queries.catalogue import list_sites_in_use

_OURS = ServiceType(group="org.ga4gh", artifact="service-registry", version="1.0.0")
_OLDEST_WES = "1.0.0"
_UNTOLD = "unknown"


def list_external_services(session: Session, *, with_internal: bool) -> ExternalServices:
    return ExternalServices([describe_service(site) for site in _list_shown(session, with_internal)])


def find_external_service(session: Session, service_id: str, *, with_internal: bool) -> ExternalService:
    """Raises `ServiceNotFoundError`, for whatever cannot be an id too: to GA4GH it is any text."""
    for site in _list_shown(session, with_internal):
        if str(site.id) == service_id.lower():
            return describe_service(site)
    raise ServiceNotFoundError


def list_types(session: Session, *, with_internal: bool) -> ServiceTypes:
    types = {read_type(site) for site in _list_shown(session, with_internal)}
    return ServiceTypes(sorted(types, key=lambda kind: (kind.group, kind.artifact, kind.version)))


def _list_shown(session: Session, with_internal: bool) -> Iterable[ImputationService]:
    sites = list_sites_in_use(session)
    return [site for site in sites if with_internal or not site.api_config.get("allow_private_network")]


def describe_service(site: ImputationService) -> ExternalService:
    """GA4GH wants an organisation and a version of every service; what a site does not tell is said to be unknown."""
    address = _strip_login(site.base_url)
    return ExternalService(
        id=str(site.id),
        name=site.name,
        type=read_type(site),
        description=f"Genotype imputation; reference panels in this catalogue: {site.panels_count}.",  # type: ignore[attr-defined]
        organization=Organization(name=site.location or site.name, url=_find_origin(address)),
        version=site.version or _UNTOLD,
        url=address,
        created_at=site.created_at,
        updated_at=site.updated_at,
    )


def read_type(site: ImputationService) -> ServiceType:
    """Cloudgene's interface is none of GA4GH's, so it stands under its makers' name. WES sites are listed under the
    newest version that they say to speak; all of 1.x share one address."""
    if site.api_type == "ga4gh":
        return ServiceType(group="org.ga4gh", artifact="wes", version=site.api_version or _OLDEST_WES)
    return ServiceType(group="io.cloudgene", artifact="cloudgene-api", version="2.0.0")


def _find_origin(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    return f"{scheme}{separator}{rest.partition('/')[0]}"


def _strip_login(url: str) -> str:
    """A user name and a password that somebody has put into an address are for nobody."""
    scheme, separator, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}{separator}{host.rpartition('@')[2]}{slash}{path}"


def describe_registry(public_url: str, environment: Literal["local", "production"]) -> Service:
    return Service(
        id=".".join([*_reverse_host(public_url), "imputehub", "service-registry"]),
        name="ImputeHub service registry",
        type=_OURS,
        description="The imputation sites that this platform submits to.",
        organization=Organization(name="ImputeHub", url=public_url),
        documentation_url=f"{public_url.rstrip('/')}/docs",
        environment="prod" if environment == "production" else "dev",
        version=version("imputehub"),
    )


def _reverse_host(url: str) -> list[str]:
    """The host's labels from the last to the first; none of a bare IP address, which nobody owns as a name."""
    labels = (urlsplit(url).hostname or "").split(".")
    return [] if labels[-1].isdigit() or not labels[-1].isascii() or ":" in labels[-1] else labels[::-1]
