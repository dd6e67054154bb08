"""Shapes of the public notifications API (`api.md`: Notifications)."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from microservices.kernel.pagination import ListQuery


class NotificationView(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    type: str
    title: str
    message: str
    data: dict[str, Any]
    created_at: datetime
    read_at: datetime | None


class NotificationQuery(ListQuery):
    unread: bool | None = None


class MarkedRead(BaseModel):
    marked: int
