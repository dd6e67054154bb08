"""What job_processor shows to Django of everybody's jobs, for staff: `/internal/jobs`, scope `jobs:staff`."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from microservices.contracts.job_processor import JobStatus, RunStatus


class OverseenError(BaseModel):
    code: str
    message: str
    whose: Literal["input", "site", "platform"]
    fix: str


class OverseenRun(BaseModel):
    id: UUID
    service_id: UUID
    panel_id: UUID
    status: RunStatus
    progress: float
    external_job_id: str | None
    external_status: str | None
    queue_position: int | None
    attempts: int
    message: str
    error: OverseenError | None
    submitted_at: datetime | None
    finished_at: datetime | None
    results: int


class OverseenInput(BaseModel):
    """`size` in bytes."""

    filename: str
    size: int


class OverseenJob(BaseModel):
    id: UUID
    organization_id: UUID
    owner_id: UUID
    name: str
    status: JobStatus
    progress: float
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    inputs: list[OverseenInput]
    parameters: dict[str, Any]
    runs: list[OverseenRun]


class OverseenPage(BaseModel):
    items: list[OverseenJob]
    next_cursor: str | None
    total: int


class OverseenUpdate(BaseModel):
    """Of a run, or of the job itself when `run_id` is empty."""

    run_id: UUID | None
    status: str
    progress: float
    message: str
    occurred_at: datetime


class OverseenHistory(BaseModel):
    """The newest first; 500 at most."""

    items: list[OverseenUpdate]


class StaffAct(BaseModel):
    """Who acts: it is written into the job's history, for its owner to see."""

    model_config = ConfigDict(extra="forbid")

    staff: Annotated[str, Field(min_length=3, max_length=254, pattern=r"^[^\x00-\x20\x7f]+$")]
