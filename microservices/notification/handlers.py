"""Events of our other services: each is told to those who listen, and noted for whom it should not escape."""

from collections.abc import Callable
from typing import TypeVar
from uuid import UUID

from pydantic import BaseModel, ValidationError
from sqlalchemy.orm import Session

from microservices.contracts.file_manager import FILE_CHECKED, FileChecked
from microservices.contracts.job_processor import JOB_UPDATED, RUN_UPDATED, JobUpdated, RunUpdated
from microservices.contracts.monitoring import PLATFORM_SERVICE_CHANGED, PlatformServiceChanged
from microservices.contracts.notification import Audience
from microservices.contracts.registry import SERVICE_CHANGED, HealthChanged, ServiceChanged
from microservices.contracts.user_service import (
    SECOND_FACTOR_CHANGED,
    SITE_CREDENTIAL_CHANGED,
    PersonRecord,
    SecondFactorChanged,
    SiteCredentialChanged,
)
from microservices.kernel.db import utc_now
from microservices.kernel.errors import InvalidInputError
from microservices.kernel.events import Event
from microservices.kernel.inbox import EventHandler
from microservices.notification.logic.wording import (
    Wording,
    word_file,
    word_health,
    word_job,
    word_nothing,
    word_run,
    word_second_factor,
)
from microservices.notification.models import LiveEvent, Notification
from microservices.notification.queries import append_live_events
from microservices.notification.schemas import NotificationView

Shape = TypeVar("Shape", bound=BaseModel)
Owned = TypeVar("Owned", JobUpdated, RunUpdated, FileChecked, SiteCredentialChanged, SecondFactorChanged)


NOTIFICATION_CREATED = "notification.created"


def _telling(shape: type[Owned], word: Callable[[Owned], Wording | None]) -> EventHandler:
    """A handler that tells the owner of what the event is about, with a notification where it is worth one."""

    def handle(session: Session, event: Event) -> None:
        data = _read(shape, event)
        live = [_make_live(event, data)]
        wording = word(data)
        if wording is not None:
            notification = _make_notification(event, (data.organization_id, data.owner_id), wording)
            session.add(notification)
            session.flush()
            live.append(_announce(notification))
        append_live_events(session, live)  # last, since it makes other writers wait

    return handle


def _make_live(event: Event, data: Owned) -> LiveEvent:
    return LiveEvent(
        organization_id=data.organization_id,
        owner_id=data.owner_id,
        type=event.type,
        subject=event.subject,
        data=data.model_dump(mode="json", exclude={"organization_id", "owner_id"}),
        occurred_at=event.time,
    )


def _make_notification(event: Event, owner: tuple[UUID, UUID], wording: Wording) -> Notification:
    """`owner`: (organisation, user)."""
    organization_id, owner_id = owner
    return Notification(
        event_id=event.id,
        organization_id=organization_id,
        owner_id=owner_id,
        type=event.type,
        title=wording.title,
        message=wording.message,
        data=wording.data,
        created_at=utc_now(),
    )


def _announce(notification: Notification) -> LiveEvent:
    return LiveEvent(
        organization_id=notification.organization_id,
        owner_id=notification.owner_id,
        type=NOTIFICATION_CREATED,
        subject=f"notification/{notification.id}",
        data=NotificationView.model_validate(notification).model_dump(mode="json"),
        occurred_at=notification.created_at,
    )


def _read(shape: type[Shape], event: Event) -> Shape:
    try:
        return shape.model_validate(event.data)
    except ValidationError as error:
        raise InvalidInputError(f"The data of this {event.type} is not as agreed.", code="bad_event_data") from error


def _telling_all(shape: type[BaseModel], audience: Audience | None = None) -> EventHandler:
    """A handler that tells everybody who looks, or all of a role, and is in nobody's notifications."""

    def handle(session: Session, event: Event) -> None:
        live = LiveEvent(
            audience=audience,
            type=event.type,
            subject=event.subject,
            data=_read(shape, event).model_dump(mode="json"),
            occurred_at=event.time,
        )
        append_live_events(session, [live])

    return handle


def telling_health(list_people: Callable[[str], list[PersonRecord]]) -> EventHandler:
    """Everybody sees a site's health; the steps of one that is silent for long are in every curator's notifications.

    `list_people` tells who has a role. While it cannot, the event is refused, and its producer tells it again later.
    """

    def handle(session: Session, event: Event) -> None:
        data = _read(HealthChanged, event)
        live = [
            LiveEvent(type=event.type, subject=event.subject, data=data.model_dump(mode="json"), occurred_at=event.time)
        ]
        wording = word_health(data)
        if wording is not None:
            people = [(person.organization_id, person.user_id) for person in list_people("curator")]
            notifications = [_make_notification(event, person, wording) for person in people]
            session.add_all(notifications)
            session.flush()
            live += [_announce(notification) for notification in notifications]
        append_live_events(session, live)

    return handle


HANDLERS: dict[str, EventHandler] = {
    JOB_UPDATED: _telling(JobUpdated, word_job),
    RUN_UPDATED: _telling(RunUpdated, word_run),
    FILE_CHECKED: _telling(FileChecked, word_file),
    SECOND_FACTOR_CHANGED: _telling(SecondFactorChanged, word_second_factor),
    SITE_CREDENTIAL_CHANGED: _telling(SiteCredentialChanged, word_nothing),
    PLATFORM_SERVICE_CHANGED: _telling_all(PlatformServiceChanged, "operator"),
    SERVICE_CHANGED: _telling_all(ServiceChanged),
}
