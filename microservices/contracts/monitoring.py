"""What monitoring tells about our own services: events, and the figures of the moment. All of it is for operators."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel

ServiceState = Literal["ready", "unready", "down"]

PLATFORM_SERVICE_CHANGED = "platform.service_changed"
PLATFORM_MEASURED = "platform.measured"
"""Type of the figures of the moment; their data is the overview without the external sites."""


class PlatformServiceChanged(BaseModel):
    """Data of `platform.service_changed`, subject `platform/<service>`: one of our services went down, came back, or
    was replaced by a new process (`restarted`) faster than anybody could see it away.
    """

    service: str
    state: ServiceState
    previous: ServiceState | Literal["unknown"]
    restarted: bool
    message: str
    checked_at: datetime
