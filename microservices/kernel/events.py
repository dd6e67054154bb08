"""The envelope in which every change travels: CloudEvents 1.0 in JSON.

`dataversion` is ours (an extension attribute): the subject's version, which goes up under the subject's
row lock, so that a subscriber can drop what is older than what it has.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field


class Event(BaseModel):
    """One fact that has happened to `subject` (for example `site/<uuid>`)."""

    model_config = ConfigDict(extra="ignore")

    specversion: str = "1.0"
    id: UUID
    source: str
    type: str
    subject: str
    time: datetime
    dataversion: int = Field(ge=1)
    data: dict[str, Any]
