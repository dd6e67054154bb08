"""Sites and panels: reading them for people, replacing them by a document."""

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, contains_eager, joinedload, undefer

from microservices.kernel.db import utc_now
from microservices.kernel.pagination import Page, paginate
from microservices.service_registry.models import CredentialAccess, ImputationService, ReferencePanel
from microservices.service_registry.queries.channels import PANELS_CHANGED, SERVICES_CHANGED, ring
from microservices.service_registry.schemas import PanelItem, PanelQuery, ServiceItem, ServiceQuery

_SITE_IN_USE = sa.and_(ImputationService.is_active, ImputationService.auto_deactivated_at.is_(None))
_PANEL_IN_USE = sa.and_(ReferencePanel.is_active, _SITE_IN_USE)


def find_service(session: Session, service_id: UUID, *, lock: bool = False) -> ImputationService | None:
    return session.get(ImputationService, service_id, with_for_update=lock or None)


def list_sites(session: Session) -> list[ImputationService]:
    """All of them, whatever their state."""
    return list(session.scalars(sa.select(ImputationService).order_by(ImputationService.id)))


def list_sites_in_use(session: Session) -> list[ImputationService]:
    """With the number of their panels."""
    statement = sa.select(ImputationService).options(undefer(ImputationService.panels_count))  # type: ignore[attr-defined]
    return list(session.scalars(statement.where(_SITE_IN_USE).order_by(ImputationService.name, ImputationService.id)))


def list_services(session: Session, query: ServiceQuery) -> Page[ServiceItem]:
    statement = sa.select(ImputationService).options(undefer(ImputationService.panels_count))  # type: ignore[attr-defined]
    statement = statement.where(_SITE_IN_USE if query.is_active else ~_SITE_IN_USE)
    if query.api_type is not None:
        statement = statement.where(ImputationService.api_type == query.api_type)
    if query.is_available is not None:
        statement = statement.where(ImputationService.is_available == query.is_available)
    if query.country is not None:
        statement = statement.where(sa.func.lower(ImputationService.country) == query.country.lower())
    if query.q is not None:
        places = (ImputationService.name, ImputationService.location, ImputationService.country)
        statement = statement.where(sa.or_(*(place.icontains(query.q, autoescape=True) for place in places)))
    sortable = {
        name: getattr(ImputationService, name) for name in ("created_at", "updated_at", "name", "country", "api_type")
    }
    return paginate(
        session,
        statement,
        query,
        sortable=sortable,
        key=ImputationService.id,
        to_item=ServiceItem.model_validate,
    )


def find_panel(session: Session, panel_id: UUID) -> ReferencePanel | None:
    return session.get(ReferencePanel, panel_id, options=[joinedload(ReferencePanel.service, innerjoin=True)])


def list_panels(session: Session, query: PanelQuery) -> Page[PanelItem]:
    service = contains_eager(ReferencePanel.service)
    statement = sa.select(ReferencePanel).join(ReferencePanel.service).options(service)
    statement = statement.where(_PANEL_IN_USE if query.is_active else ~_PANEL_IN_USE)
    if query.service_id is not None:
        statement = statement.where(ReferencePanel.service_id == query.service_id)
    if query.build is not None:
        statement = statement.where(ReferencePanel.build == query.build)
    if query.population is not None:
        statement = statement.where(_allows_population(query.population))
    if query.q is not None:
        places = (ReferencePanel.name, ReferencePanel.panel_id)
        statement = statement.where(sa.or_(*(place.icontains(query.q, autoescape=True) for place in places)))
    sortable = {name: getattr(ReferencePanel, name) for name in ("created_at", "updated_at", "name", "build")}
    return paginate(
        session, statement, query, sortable=sortable, key=ReferencePanel.id, to_item=PanelItem.model_validate
    )


def _allows_population(population: str) -> sa.ColumnElement[bool]:
    """Populations compare without regard to case: sites spell them `afr` and `AFR`."""
    allowed = sa.func.unnest(ReferencePanel.populations).column_valued("allowed")
    return sa.select(1).where(sa.func.lower(allowed) == population.lower()).exists()


def list_site_panels(session: Session, service_id: UUID) -> list[ReferencePanel]:
    """All of a site's panels, whatever their state."""
    statement = sa.select(ReferencePanel).where(ReferencePanel.service_id == service_id).order_by(ReferencePanel.name)
    return list(session.scalars(statement))


def replace_panels(session: Session, service_id: UUID, panels: list[dict[str, Any]]) -> None:
    """Make `panels` all the panels of the site; one that has moved here from another site comes along."""
    ring(session, SERVICES_CHANGED, PANELS_CHANGED)
    kept = [panel["id"] for panel in panels]
    gone = sa.delete(ReferencePanel).where(ReferencePanel.service_id == service_id, ReferencePanel.id.not_in(kept))
    session.execute(gone)
    if not panels:
        return
    rows = [{**panel, "service_id": service_id} for panel in panels]
    statement = insert(ReferencePanel)
    changes = {name: statement.excluded[name] for name in rows[0] if name != "id"}
    upsert = statement.on_conflict_do_update(index_elements=["id"], set_={**changes, "updated_at": utc_now()})
    session.execute(upsert, rows)


def delete_service(session: Session, service_id: UUID) -> None:
    """With its panels and its history."""
    ring(session, SERVICES_CHANGED, PANELS_CHANGED)
    session.execute(sa.delete(ImputationService).where(ImputationService.id == service_id))


def record_access(session: Session, service_id: UUID, run_id: UUID, client_id: str) -> None:
    session.add(CredentialAccess(service_id=service_id, run_id=run_id, client_id=client_id))
