"""Shapes of the public notifications API and of what clients of the live channel send (`api.md`: Notifications)."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

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


class TokenMessage(BaseModel):
    """The first message of a WebSocket, and each that renews its token; `after` counts in the first only."""

    model_config = ConfigDict(extra="forbid")

    token: Annotated[str, Field(min_length=1, max_length=8192)]
    after: Annotated[str, Field(max_length=64)] | None = None
