"""The public notifications API."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from microservices.kernel.auth import PEOPLE, Principal
from microservices.kernel.db import SessionDep, utc_now
from microservices.kernel.pagination import Page, paginate
from microservices.notification import queries
from microservices.notification.errors import NotificationNotFoundError
from microservices.notification.models import Notification
from microservices.notification.schemas import MarkedRead, NotificationQuery, NotificationView

Caller = Annotated[Principal, Depends(PEOPLE)]

router = APIRouter(prefix="/api/v1/notifications", tags=["notifications"])


@router.get("")
def list_notifications(
    query: Annotated[NotificationQuery, Query()], caller: Caller, session: SessionDep
) -> Page[NotificationView]:
    return paginate(
        session,
        queries.select_notifications(caller, query.unread),
        query,
        sortable={"created_at": Notification.created_at},
        key=Notification.id,
        to_item=NotificationView.model_validate,
    )


@router.post("/read-all")
def read_all(caller: Caller, session: SessionDep) -> MarkedRead:
    return MarkedRead(marked=queries.mark_all_read(session, caller))


@router.post("/{notification_id}/read")
def read_one(notification_id: UUID, caller: Caller, session: SessionDep) -> NotificationView:
    notification = queries.find_notification(session, caller, notification_id)
    if notification is None:
        raise NotificationNotFoundError("There is no such notification among yours.")
    notification.read_at = notification.read_at or utc_now()
    return NotificationView.model_validate(notification)
