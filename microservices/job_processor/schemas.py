"""What the public jobs API shows, and what its lists take (`api.md`: Jobs)."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from microservices.contracts.job_processor import JobStatus, RunStatus
from microservices.job_processor.limits import Limits
from microservices.job_processor.wishes import Choice, NewTemplate, PlainText
from microservices.kernel.pagination import ListQuery


def read_in_utc(moment: datetime) -> datetime:
    """A time without an offset is UTC; one that no calendar has in UTC (year 0 or 10000) is refused."""
    try:
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except OverflowError:
        raise ValueError("is out of range") from None


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
    owner_id: UUID
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
    cancel_requested_at: datetime | None
    move_requested_at: datetime | None
    estimated_finish_at: datetime | None
    is_slow: bool
    pace: str


class ArchiveLink(BaseModel):
    url: str
    expires_at: datetime


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
