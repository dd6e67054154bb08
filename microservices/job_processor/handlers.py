"""What user_service tells: a person has changed their token for a site."""

from pydantic import ValidationError
from sqlalchemy.orm import Session

from microservices.contracts.user_service import SITE_CREDENTIAL_CHANGED, SiteCredentialChanged
from microservices.job_processor.logic.waking import wake_runs
from microservices.kernel.errors import InvalidInputError
from microservices.kernel.events import Event
from microservices.kernel.inbox import EventHandler


def _apply_credential(session: Session, event: Event) -> None:
    try:
        change = SiteCredentialChanged.model_validate(event.data)
    except ValidationError as error:
        raise InvalidInputError(f"The data of {event.type} are not as agreed.") from error
    if change.is_set:
        wake_runs(session, change.owner_id, change.service_id)


HANDLERS: dict[str, EventHandler] = {SITE_CREDENTIAL_CHANGED: _apply_credential}
