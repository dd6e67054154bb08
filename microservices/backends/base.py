"""What every kind of site can be asked, in the platform's own words.

An adapter translates one protocol into these shapes and nothing else: it holds no database and no settings, and
never decides what becomes of a run. Sites are foreign: whatever they answer is checked here, not by the callers.
"""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, ClassVar, Literal, Protocol
from uuid import UUID

from pydantic import ConfigDict

from microservices.backends.description import Capabilities, SiteDescription
from microservices.contracts.curation import ApiConfig, ApiType

Whose = Literal["input", "site", "platform"]
Health = Literal["healthy", "degraded", "unhealthy"]
SiteJobState = Literal["waiting", "running", "finishing", "succeeded", "failed", "cancelled", "dead", "gone"]
# The step of an adapter's own message about a request to cancel that the site did not heed.
CANCEL_STEP = "Cancel"
ResultKind = Literal["imputed_data", "quality_report", "log", "summary", "metadata"]


class SiteError(Exception):
    """A site refused, failed or could not be understood.

    `permanent`: trying the same again cannot help. `whose`: who has to act. `code` is stable and machine-readable;
    `fix` tells the person what to do. `retry_after_s` is the site's own wish. `sent` says what is known of a
    submission: `nothing` reached the site (or the site plainly refused what did), the body was cut (`partial`), or
    `all` of it was sent. Only `all` leaves open whether a job exists: look for its mark before sending again.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str,
        permanent: bool = False,
        whose: Whose = "site",
        fix: str = "",
        retry_after_s: float | None = None,
        sent: Literal["nothing", "partial", "all"] = "nothing",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.permanent = permanent
        self.whose: Whose = whose
        self.fix = fix
        self.retry_after_s = retry_after_s
        self.sent: Literal["nothing", "partial", "all"] = sent


class SiteUnavailableError(SiteError):
    """Down, in maintenance, or not answering sense: hold and try later, the run is not at fault."""


class SiteFullError(SiteError):
    """The site's limit of simultaneous jobs is reached: back-pressure, not an error of the run."""


class CredentialRefusedError(SiteError):
    """The site does not accept this person's token: its owner has to renew it."""


class JobNotFoundError(SiteError):
    """The site does not know the job (any more)."""


class ResultRefusedError(SiteError):
    """A result file could not be had, or failed its checks."""


@dataclass(frozen=True)
class BucketAccess:
    """The platform's own account at an object store of S3's kind. `endpoint` None: AWS. The key is a secret."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    endpoint: str | None = None
    region: str = "us-east-1"
    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")  # where it is read from a setting


@dataclass(frozen=True)
class SiteConnection:
    """How to reach one site as one account. `credential` is a secret: never log or print it."""

    service_id: UUID
    api_type: ApiType
    base_url: str
    credential: str | None = field(default=None, repr=False)
    ca_pem: str | None = field(default=None, repr=False)
    api_config: ApiConfig = field(default_factory=ApiConfig)
    buckets: BucketAccess | None = None


@dataclass(frozen=True)
class SiteProbe:
    """A probe's finding. `response_time_ms` is measured inside the request; `message` is in words for people.

    `fix`: what a curator can do, where that is known; `code` is that of the `SiteError` behind a failure. `version` is
    of the software, `api_version` the newest of its interface that the site says to speak.
    """

    health: Health
    response_time_ms: float | None
    message: str
    version: str | None = None
    fix: str = ""
    code: str = ""
    api_version: str | None = None
    capabilities: Capabilities | None = None


@dataclass(frozen=True)
class CredentialCheck:
    valid: bool
    message: str
    account: str | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True)
class InputFile:
    """`open` gives a fresh stream of the file's bytes each time it is called; `size` in bytes.

    `url` is a signed address (a secret) where the site can fetch the file by itself, for as long as the run may last;
    it is needed only where `api_config.input_mode` is `url`.
    """

    filename: str
    size: int
    open: "OpenStream"
    url: str | None = field(default=None, repr=False)


class OpenStream(Protocol):
    def __call__(self) -> AsyncIterator[bytes]: ...


@dataclass(frozen=True)
class Submission:
    """One run, ready to be sent. `mark` (ASCII, ≤50 characters) is ours and is found again in the site's job list.

    `recipe` is the panel's, as the curator wrote it: a WES site has no panels of its own, so it needs one.
    """

    mark: str
    panel_id: str
    build: str
    population: str | None
    phasing: str
    r2_filter: float
    mode: str
    result_password: str = field(repr=False)
    files: tuple[InputFile, ...] = ()
    recipe: dict[str, Any] | None = None


@dataclass(frozen=True)
class SiteMessage:
    """A site's own words, HTML stripped."""

    step: str
    level: Literal["info", "warning", "error", "running"]
    text: str


@dataclass(frozen=True)
class SiteJob:
    """A job as the site tells it. `progress` is 0–100, or None where the site says nothing that can be counted.

    `mark` is empty where the site tells it in its list only; `is_mark_known` is False in a list for a job of which the
    site does not say whether it has one. `dead`: the site gave the job up through a fault of its own; its messages
    may say why, and the same run may be submitted again. A state that is an end is one that the site has settled;
    but after a cancel, read a `failed` a second time: some sites show it for a moment before `cancelled`.
    """

    external_job_id: str
    mark: str
    state: SiteJobState
    external_status: str
    progress: float | None = None
    queue_position: int | None = None
    messages: tuple[SiteMessage, ...] = ()
    submitted_at: datetime | None = None
    is_mark_known: bool = True


@dataclass(frozen=True)
class SiteFile:
    """A file that the site offers. `size_range` are the bounds in bytes that its rounded size allows; None: unknown.

    `downloads_left` None: no limit. `locator` is the adapter's own (it may hold a secret: never log it).
    """

    filename: str
    kind: ResultKind
    locator: str = field(repr=False)
    size_range: tuple[int, int] | None = None
    downloads_left: int | None = None


@dataclass(frozen=True)
class ResultMember:
    """One checked file of the results, decrypted; `stream` is read once, to its end, before the next member."""

    filename: str
    kind: ResultKind
    stream: BinaryIO


class Backend(Protocol):
    """One site, spoken to as one account. Every method raises `SiteError`; none retries by itself."""

    async def probe(self) -> SiteProbe: ...

    async def describe(self) -> SiteDescription: ...

    async def verify_credential(self) -> CredentialCheck: ...

    async def submit(self, submission: Submission) -> str:
        """Stream the submission; return the site's id of the job."""
        ...

    async def status(self, external_job_id: str) -> SiteJob: ...

    def list_jobs(self) -> AsyncIterator[SiteJob]:
        """All jobs of the account, newest first, all pages."""
        ...

    def list_states(self) -> AsyncIterator[SiteJob]:
        """The account's jobs as far as the list itself tells them, page by page; marks may be missing."""
        ...

    async def cancel(self, external_job_id: str) -> SiteJob: ...

    async def restart(self, external_job_id: str) -> SiteJob:
        """Ask the site to begin a job anew that it gave up (`dead`), under the same id; tell how it then stands.

        Another job is left as it is. Where the site has no such thing: `SiteError` (`not_offered`, permanent).
        """
        ...

    async def delete(self, external_job_id: str) -> None:
        """Have the site remove an ended job and its files; one that it does not have any more is no error.

        Where the site lets no client do that with the account that is held: `SiteError` (`not_offered`, permanent).
        """
        ...

    async def failure_log(self, external_job_id: str) -> str:
        """The site's log of a failed job, for the reason where messages give none (HTML stripped, its last part)."""
        ...

    async def results(self, external_job_id: str, recipe: dict[str, Any] | None = None) -> list[SiteFile]:
        """What can be fetched; `recipe` is the one that the job was submitted with, where there was one."""
        ...

    async def fetch(self, file: SiteFile, destination: Path) -> None:
        """Download once, streaming to `destination`; its end and size are checked."""
        ...

    def unpack(self, file: SiteFile, path: Path, password: str | None) -> Iterator[ResultMember]:
        """Test a fetched file and give what is in it, decrypted (a file that is no archive gives itself)."""
        ...
