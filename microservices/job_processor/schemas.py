"""Shapes of the public jobs API (`api.md`: Jobs)."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from microservices.contracts.job_processor import JobStatus, RunStatus
from microservices.kernel.pagination import ListQuery

# PostgreSQL stores no NUL, and control characters have no place in a name.
PlainText = StringConstraints(strip_whitespace=True, pattern=r"^[^\x00-\x1f\x7f]*$")
Name = Annotated[str, PlainText, Field(min_length=1, max_length=200)]


def read_in_utc(moment: datetime) -> datetime:
    """A time without an offset is UTC; one that no calendar has in UTC (year 0 or 10000) is refused."""
    try:
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except OverflowError:
        raise ValueError("is out of range") from None


class Target(BaseModel):
    model_config = ConfigDict(extra="forbid")

    service_id: UUID
    panel_id: UUID
    alternates: Annotated[list[UUID], Field(max_length=0)] = []


class Residency(BaseModel):
    """Where the data may go: countries as ISO 3166 codes of two letters."""

    model_config = ConfigDict(extra="forbid")

    countries: Annotated[list[Annotated[str, Field(pattern="^[A-Z]{2}$")]], Field(min_length=1, max_length=250)]


class NewJob(BaseModel):
    """`POST /api/v1/jobs`: one job, one or many inputs (one a chromosome), one or many targets."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    input_file_ids: Annotated[list[UUID], Field(min_length=1, max_length=30)]
    build: Literal["hg19", "hg38"]
    phasing: Literal["eagle", "beagle", "no_phasing"] = "eagle"
    population: Annotated[str, PlainText, Field(min_length=1, max_length=50)] | None = None
    r2_filter: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False, strict=True)] = 0.0
    mode: Literal["imputation", "qc_only"] = "imputation"
    targets: Annotated[list[Target], Field(min_length=1, max_length=20)]
    priority: Literal["low", "normal", "high"] = "normal"
    residency: Residency | None = None
    template_id: None = None


class RunError(BaseModel):
    code: str
    message: str
    whose: Literal["input", "site", "platform"]
    fix: str


class RunView(BaseModel):
    """`next_try_at`: when a run that cannot go on at the moment is tried again."""

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
    next_try_at: datetime | None
    error: RunError | None
    submitted_at: datetime | None
    finished_at: datetime | None
    results: int


class JobView(BaseModel):
    id: UUID
    name: str
    status: JobStatus
    progress: float
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    input_file_ids: list[UUID]
    parameters: dict[str, Any]
    runs: list[RunView]


class JobQuery(ListQuery):
    status: JobStatus | None = None
    service_id: UUID | None = None
    q: Annotated[str, PlainText, Field(max_length=200)] | None = None
    created_after: Annotated[datetime, AfterValidator(read_in_utc)] | None = None


class StatusUpdateView(BaseModel):
    run_id: UUID | None
    status: str
    progress: float
    message: str
    occurred_at: datetime


class AccuracyBin(BaseModel):
    """Imputed sites whose minor allele frequency is over `maf_over`, up to `maf_up_to`; R² as the site estimates it."""

    maf_over: float
    maf_up_to: float
    mean_r2: float | None
    sites: int


class ChromosomeCoverage(BaseModel):
    """First and last position with a result (1-based)."""

    name: str
    sites: int
    start: int
    end: int


class RunSummaryView(BaseModel):
    """`sites_in`: of the job's inputs. `sites_total`: in the results, of which `sites_imputed` were not typed."""

    run_id: UUID
    service_id: UUID
    panel_id: UUID
    sites_in: int | None
    sites_total: int
    sites_imputed: int
    bins: list[AccuracyBin]
    chromosomes: list[ChromosomeCoverage]


class ResultsSummary(BaseModel):
    """Of the completed runs whose sites have sent `*.info.gz` files."""

    runs: list[RunSummaryView]
