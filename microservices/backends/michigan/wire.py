"""The shapes of Cloudgene's JSON, as far as they are used; both generations, unknown fields ignored.

Field names are the server's own (`maintenace` and `canceld` are spelt so). What only one generation sends is optional.
"""

from typing import Annotated, Any

from pydantic import BaseModel, Field, field_validator


class AppSummary(BaseModel):
    id: str
    name: str | None = None
    version: str | None = None


class ServerAnswer(BaseModel):
    """`GET /api/v2/server`; a stranger sees no `apps` and `loggedIn: false`."""

    name: str = Field(min_length=1)
    apps: list[AppSummary] = []
    loggedIn: bool | None = None  # noqa: N815
    maintenace: bool = False
    maintenaceMessage: str | None = None  # noqa: N815

    @field_validator("apps", mode="before")
    @classmethod
    def _read_no_apps(cls, value: Any) -> Any:
        return value or []


class Choice(BaseModel):
    """A value of a parameter; in a `binded_list` the key is the panel's and `values` are its choices."""

    key: str
    value: str | None = None
    label: str | None = None
    values: list["Choice"] | None = None


class Parameter(BaseModel):
    """Values are read only for the types whose shape is known: see `microservices.backends.michigan.catalogue`."""

    id: str
    type: str | None = None
    bind: str | None = None
    values: Any = None


class AppAnswer(BaseModel):
    id: str
    name: str | None = None
    version: str | None = None
    params: list[Parameter] = []


class LogMessage(BaseModel):
    """`type`: 0 OK, 1 error, 2 warning, 3 running."""

    message: str | None = None
    type: int | None = None


class Step(BaseModel):
    name: str | None = None
    logMessages: list[LogMessage] | None = None  # noqa: N815


class OutputFile(BaseModel):
    """`size` is text, rounded down to a whole unit; `count` downloads are left, -1 for no limit."""

    name: str = Field(min_length=1)
    hash: str = Field(min_length=1, repr=False)
    size: str | None = None
    count: int | None = None


class OutputParameter(BaseModel):
    name: str | None = None
    files: list[OutputFile] | None = None


class JobAnswer(BaseModel):
    """A job; `complete`, `canceld`, `setupRunning` are Cloudgene 2's. Times: milliseconds since 1970, 0 for not yet."""

    id: str = Field(min_length=1)
    name: str | None = None
    state: int
    positionInQueue: Annotated[int, Field(ge=-(2**31), lt=2**31)] | None = None  # noqa: N815
    submittedOn: int | None = None  # noqa: N815
    complete: bool | None = None
    canceld: bool | None = None
    setupRunning: bool | None = None  # noqa: N815
    steps: list[Step] | None = None
    outputParams: Any = None  # noqa: N815  # is read only for the results: what is odd in it hides no state

    def has_left_engine(self) -> bool:
        """Whether the site has done with the job: only then do its shared links work and is its end final."""
        if self.complete is not None:
            return self.complete
        return self.positionInQueue is None or self.positionInQueue == -1


class JobPage(BaseModel):
    """One page of the list, newest first; Cloudgene 2 leaves `next` out where Cloudgene 3 says null."""

    count: int
    next: int | None = None
    data: list[JobAnswer] = []
