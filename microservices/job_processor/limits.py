"""How much people may have and do; None: as much as they like."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Most = Annotated[int, Field(ge=0, lt=2**63, strict=True)] | None


class Limits(BaseModel):
    """`running_runs`: not ended, wherever they are. A month is one of the calendar, in UTC; sizes in bytes."""

    model_config = ConfigDict(extra="forbid")

    running_runs: Most = None
    jobs_per_month: Most = None
    input_bytes_per_month: Most = None


class TierLimits(BaseModel):
    """What holds for each person of a tier, and for their organisation as a whole."""

    model_config = ConfigDict(extra="forbid")

    person: Limits = Limits()
    organization: Limits = Limits()
