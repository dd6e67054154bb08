"""What people wish for: jobs and templates, as they say them (`api.md`: Jobs)."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

# PostgreSQL stores no NUL, and control characters have no place in a name.
PlainText = StringConstraints(strip_whitespace=True, pattern=r"^[^\x00-\x1f\x7f]*$")
Name = Annotated[str, PlainText, Field(min_length=1, max_length=200)]


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
