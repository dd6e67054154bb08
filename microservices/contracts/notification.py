"""What notification takes besides events."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, StringConstraints

FiguresType = Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,40}\.[a-z_]{1,40}$")]
Audience = Literal["operator"]
"""A role whose people, with the administrators, are told."""


class Figures(BaseModel):
    """`PUT /internal/figures/{type}`: what is true now, in place of what was said before.

    It is told to those of `audience` who are connected, and to each who connects; no log has it, so its past is gone.
    """

    audience: Audience
    measured_at: datetime
    data: dict[str, Any]
