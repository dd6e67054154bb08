"""Events of our other services, each turned into a notification where a person should know."""

from collections.abc import Callable
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from sqlalchemy.orm import Session

from microservices.contracts.file_manager import FILE_CHECKED, FileChecked
from microservices.contracts.job_processor import JOB_UPDATED, RUN_UPDATED, JobUpdated, RunUpdated
from microservices.contracts.registry import SERVICE_HEALTH_CHANGED, HealthChanged
from microservices.kernel.errors import InvalidInputError
from microservices.kernel.events import Event
from microservices.kernel.inbox import EventHandler
from microservices.notification.logic.wording import Wording, word_file, word_job, word_run
from microservices.notification.models import Notification

Shape = TypeVar("Shape", bound=BaseModel)
Owned = TypeVar("Owned", JobUpdated, RunUpdated, FileChecked)


def _notifying(shape: type[Owned], word: Callable[[Owned], Wording | None]) -> EventHandler:
    """A handler that stores a notification for the owner of what the event is about."""

    def handle(session: Session, event: Event) -> None:
        data = _read(shape, event)
        wording = word(data)
        if wording is None:
            return
        session.add(
            Notification(
                event_id=event.id,
                organization_id=data.organization_id,
                owner_id=data.owner_id,
                type=event.type,
                title=wording.title,
                message=wording.message,
                data=wording.data,
            )
        )

    return handle


def _read(shape: type[Shape], event: Event) -> Shape:
    try:
        return shape.model_validate(event.data)
    except ValidationError as error:
        raise InvalidInputError(f"The data of this {event.type} is not as agreed.", code="bad_event_data") from error


def _accept_health(_session: Session, event: Event) -> None:
    """A site's health concerns everybody and nobody: it is on the sites' page, not in anyone's notifications."""
    _read(HealthChanged, event)


HANDLERS: dict[str, EventHandler] = {
    JOB_UPDATED: _notifying(JobUpdated, word_job),
    RUN_UPDATED: _notifying(RunUpdated, word_run),
    FILE_CHECKED: _notifying(FileChecked, word_file),
    SERVICE_HEALTH_CHANGED: _accept_health,
}
