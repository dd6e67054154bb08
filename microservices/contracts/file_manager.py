"""What file_manager answers, to people and to our other services, and the events that it sends."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

FileStatus = Literal["uploaded", "checking", "ready", "rejected"]
Verdict = Literal["pass", "warn", "fail"]
ResultKind = Literal["imputed_data", "quality_report", "log", "summary", "metadata"]

FILE_CHECKED = "file.checked"


class FileRecord(BaseModel):
    """`GET /api/v1/files/{id}`; `size` in bytes."""

    id: UUID
    filename: str
    size: int
    sha256: str
    status: FileStatus
    created_at: datetime


class QualityRecord(BaseModel):
    """`GET /api/v1/files/{id}/qc`: what the check found (more fields may follow).

    `sites_per_mb`: by chromosome, the number of sites in each million base pairs; None for a file whose check was
    before this was counted.
    """

    verdict: Verdict
    build: str | None
    chromosomes: list[str]
    samples: int
    variants: int
    phased: bool | None
    has_chr_prefix: bool | None
    sites_per_mb: dict[str, list[int]] | None = None
    issues: list[dict[str, Any]]


class InputsRequest(BaseModel):
    """`POST /internal/inputs`: of this person's files."""

    organization_id: UUID
    owner_id: UUID
    file_ids: Annotated[list[UUID], Field(min_length=1, max_length=100)]


class InputRecord(BaseModel):
    """`quality` None until the file has been checked. What is not the person's is left out of the answer."""

    file: FileRecord
    quality: QualityRecord | None


class ResultRecord(BaseModel):
    """A stored result file. `download_url` is signed, and needs no header."""

    id: UUID
    run_id: UUID
    filename: str
    kind: ResultKind
    size: int
    sha256: str
    download_url: str


class ResultUpload(BaseModel):
    """Query of `POST /internal/results` (body: the raw bytes): the same `run_id` and `filename` again replaces.

    The first result of a later `attempt` takes the place of all results of the run's former ones, and of those nothing
    is taken after it (409).
    """

    organization_id: UUID
    owner_id: UUID
    job_id: UUID
    run_id: UUID
    attempt: int = Field(default=1, ge=1, lt=2**31)
    filename: str
    kind: ResultKind


class ArchivedRun(BaseModel):
    folder: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]
    run_id: UUID


class ArchiveRequest(BaseModel):
    """`POST /internal/results/archive`: the results of a job's runs as one zip, each run in a folder of its own."""

    model_config = ConfigDict(extra="forbid")

    job_id: UUID
    runs: list[ArchivedRun] = Field(min_length=1, max_length=1000)


class InputLinkRequest(BaseModel):
    """`POST /internal/input-links`: addresses under which a site fetches a run's inputs by itself.

    They are good for 7 days at most, and end with the run's attempt (`run.ended`).
    """

    run_id: UUID
    attempt: int = Field(ge=1, lt=2**31)
    file_ids: list[UUID] = Field(min_length=1, max_length=100)


class InputLink(BaseModel):
    """`url` is a secret: whoever has it has the file."""

    file_id: UUID
    url: str = Field(repr=False)
    expires_at: datetime


class InputLinks(BaseModel):
    items: list[InputLink]


class FileChecked(BaseModel):
    """Data of `file.checked`, subject `file/<id>`."""

    file_id: UUID
    organization_id: UUID
    owner_id: UUID
    filename: str
    status: FileStatus
    verdict: Verdict
