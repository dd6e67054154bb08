"""What job_processor answers to our other services, and the events that it sends."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

RunStatus = Literal[
    "queued", "submitting", "waiting_for_site", "running", "collecting", "completed", "failed", "cancelled"
]
JobStatus = Literal["queued", "running", "completed", "partly_completed", "failed", "cancelled"]

JOB_UPDATED = "job.updated"
RUN_UPDATED = "run.updated"
RUN_ENDED = "run.ended"


class FileUsage(BaseModel):
    """`GET /internal/files/{id}/usage`: is the file the input of a job that is not finished?"""

    in_use: bool


class JobUpdated(BaseModel):
    """Data of `job.updated`, subject `job/<id>`: sent when the derived status of a job changes."""

    job_id: UUID
    organization_id: UUID
    owner_id: UUID
    name: str
    status: JobStatus
    progress: float
    message: str
    occurred_at: datetime


class RunUpdated(BaseModel):
    """Data of `run.updated`, subject `job/<id>`, so that a job's events keep their order."""

    job_id: UUID
    run_id: UUID
    organization_id: UUID
    owner_id: UUID
    service_id: UUID
    status: RunStatus
    progress: float
    message: str
    occurred_at: datetime


class RunEnded(BaseModel):
    """Data of `run.ended`, subject `run/<id>`, to file_manager: nothing of the attempts up to `attempt` is needed any
    more. A retry makes later ones.
    """

    run_id: UUID
    attempt: int = Field(ge=1)
