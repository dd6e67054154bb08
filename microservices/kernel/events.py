"""The envelope in which every change travels: CloudEvents 1.0 in JSON.

`dataversion` is ours (an extension attribute): the subject's version, which goes up under the subject's
row lock, so that a subscriber can drop what is older than what it has.
"""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

# Header of the answer to an event that was dropped: the version that is known of its subject.
KNOWN_VERSION = "X-Known-Version"

# PostgreSQL has no NUL in its text: such an event is the producer's mistake, and is to be parked there.
Label = Annotated[str, Field(min_length=1, max_length=500, pattern=r"^[^\x00]*$")]


class Event(BaseModel):
    """One fact that has happened to `subject` (for example `site/<uuid>`)."""

    model_config = ConfigDict(extra="ignore")

    specversion: str = "1.0"
    id: UUID
    source: Label
    type: Label
    subject: Label
    time: datetime
    dataversion: int = Field(ge=1, lt=2**63)
    data: dict[str, Any]
