"""Shapes of the public jobs API (`api.md`: Jobs)."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from microservices.contracts.job_processor import JobStatus, RunStatus
from microservices.job_processor.limits import Limits
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


class Choice(BaseModel):
    model_config = ConfigDict(extra="forbid")

    service_id: UUID
    panel_id: UUID


class Target(Choice):
    """`alternates`: where its run goes on, best first, when the site does not take it.

    That is when the site has been unavailable or full for `failover_after_s`, or will never take it.
    """

    alternates: Annotated[list[Choice], Field(max_length=5)] = []
    failover_after_s: Annotated[int, Field(ge=0, le=604_800)] = 900


class Residency(BaseModel):
    """Where the data may go: countries as ISO 3166 codes of two letters."""

    model_config = ConfigDict(extra="forbid")

    countries: Annotated[list[Annotated[str, Field(pattern="^[A-Z]{2}$")]], Field(min_length=1, max_length=250)]


Build = Literal["hg19", "hg38"]
Phasing = Literal["eagle", "beagle", "no_phasing"]
Mode = Literal["imputation", "qc_only"]
Priority = Literal["low", "normal", "high"]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False, strict=True)]
Targets = Annotated[list[Target], Field(min_length=1, max_length=20)]


class JobSettings(BaseModel):
    """What a job and a template say alike; None: not said."""

    model_config = ConfigDict(extra="forbid")

    build: Build | None = None
    phasing: Phasing | None = None
    population: Annotated[str, PlainText, Field(min_length=1, max_length=50)] | None = None
    r2_filter: Share | None = None
    mode: Mode | None = None
    targets: Targets | None = None
    priority: Priority | None = None
    residency: Residency | None = None


class NewJob(JobSettings):
    """`POST /api/v1/jobs`: one job, one or many inputs (one a chromosome), one or many targets.

    What it leaves out is filled in from its template, and then by the platform; what it says, also null, holds.
    """

    name: Name | None = None
    input_file_ids: Annotated[list[UUID], Field(min_length=1, max_length=30)]
    template_id: UUID | None = None


class JobPlan(NewJob):
    """A job of which nothing is left open."""

    name: Name
    build: Build
    phasing: Phasing = "eagle"
    r2_filter: Share = 0.0
    mode: Mode = "imputation"
    targets: Targets
    priority: Priority = "normal"


class NewTemplate(JobSettings):
    """`POST|PUT /api/v1/job-templates`: a job without inputs. `shared`: everybody of the organisation may use it."""

    name: Name
    shared: bool = False


class TemplateView(NewTemplate):
    """`is_own`: the caller may change it."""

    id: UUID
    is_own: bool
    created_at: datetime
    updated_at: datetime


class TemplateQuery(ListQuery):
    q: Annotated[str, PlainText, Field(max_length=200)] | None = None


class QuotaUseView(BaseModel):
    """`most` None: no limit."""

    used: int
    most: int | None


class SubjectQuotasView(BaseModel):
    running_runs: QuotaUseView
    jobs_per_month: QuotaUseView
    input_bytes_per_month: QuotaUseView


class QuotasView(BaseModel):
    """`GET /api/v1/jobs/quota`: the caller's own, and those of their organisation. What is of a month frees with it."""

    tier: str
    month_ends_at: datetime
    person: SubjectQuotasView
    organization: SubjectQuotasView


class SetQuotasView(BaseModel):
    """`limits` None: those of the tier hold."""

    subject_kind: Literal["organization", "person"]
    subject_id: UUID
    limits: Limits | None
    used: Limits
    updated_at: datetime | None
    updated_by: UUID | None


class ResidencyDecisionView(BaseModel):
    """Whether a run's data might leave for a site: by the site's country at that moment (empty: not known)."""

    model_config = ConfigDict(from_attributes=True)

    run_id: UUID
    decided_at: datetime
    service_id: UUID
    site_name: str
    base_url: str
    country: str
    countries_allowed: list[str]
    is_allowed: bool
    reason: str


class RunError(BaseModel):
    code: str
    message: str
    whose: Literal["input", "site", "platform"]
    fix: str


class RunView(BaseModel):
    """`next_try_at`: when a run that cannot go on at the moment is tried again. `alternates`: those that are left.

    `move_requested_at`: since when it is to leave its site for the next alternate. `estimated_finish_at`: by how long
    others of its size took there; None where that is not known. `is_slow`: far slower than those, as `pace` says.
    """

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
    alternates: list[Choice]
    move_requested_at: datetime | None
    estimated_finish_at: datetime | None
    is_slow: bool
    pace: str


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


class CoverageGap(BaseModel):
    """A hole in the results (1-based positions) where the input has `typed_sites`."""

    name: str
    start: int
    end: int
    typed_sites: int


class RunSummaryView(BaseModel):
    """`sites_in`: of the job's inputs. `sites_total`: in the results, of which `sites_imputed` were not typed.

    `chromosomes_expected`: the inputs', None where that is not known; of those `missing` have no results at all.
    `warning` says in words what is missing.
    """

    run_id: UUID
    service_id: UUID
    panel_id: UUID
    sites_in: int | None
    sites_total: int
    sites_imputed: int
    bins: list[AccuracyBin]
    chromosomes: list[ChromosomeCoverage]
    chromosomes_expected: list[str] | None
    missing: list[str]
    gaps: list[CoverageGap]
    warning: str | None


class ResultsSummary(BaseModel):
    """Of the completed runs whose results tell of their sites (`*.info.gz` files, or the imputed VCFs themselves)."""

    runs: list[RunSummaryView]
