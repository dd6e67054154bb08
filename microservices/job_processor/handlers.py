"""What lets runs that wait go on: a person has changed their token for a site, or a site answers again."""

from typing import TypeVar

from pydantic import BaseModel, ValidationError
from sqlalchemy.orm import Session

from microservices.contracts.registry import SERVICE_HEALTH_CHANGED, HealthChanged
from microservices.contracts.user_service import SITE_CREDENTIAL_CHANGED, SiteCredentialChanged
from microservices.job_processor.logic.waking import wake_runs, wake_site
from microservices.kernel.errors import InvalidInputError
from microservices.kernel.events import Event
from microservices.kernel.inbox import EventHandler

Data = TypeVar("Data", bound=BaseModel)


def _apply_credential(session: Session, event: Event) -> None:
    change = _read(event, SiteCredentialChanged)
    if change.is_set:
        wake_runs(session, change.owner_id, change.service_id)


def _apply_health(session: Session, event: Event) -> None:
    """Told late, it costs those who wait there one look more. A site in maintenance is `degraded`, as a slow one is."""
    change = _read(event, HealthChanged)
    if change.health_status == "healthy" or (change.previous, change.health_status) == ("unhealthy", "degraded"):
        wake_site(session, change.service_id)


def _read(event: Event, data: type[Data]) -> Data:
    try:
        return data.model_validate(event.data)
    except ValidationError as error:
        raise InvalidInputError(f"The data of {event.type} are not as agreed.") from error


HANDLERS: dict[str, EventHandler] = {
    SITE_CREDENTIAL_CHANGED: _apply_credential,
    SERVICE_HEALTH_CHANGED: _apply_health,
}
