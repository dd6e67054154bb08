"""What a check tells: the fields of `GET /api/v1/files/{id}/qc`."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

Build = Literal["hg19", "hg38"]
Severity = Literal["error", "warning", "info"]
Verdict = Literal["pass", "warn", "fail"]
EvidenceSource = Literal["contig_lengths", "header_text", "positions", "chromosome_names"]

# Text from a file is quoted at most this long (characters).
QUOTE_LIMIT = 60


class Issue(BaseModel):
    """One finding: `code` is stable, `message` says what is wrong and where first, `fix` what to do."""

    model_config = ConfigDict(frozen=True)

    code: str
    severity: Severity
    message: str
    count: int
    fix: str


class BuildEvidence(BaseModel):
    """One hint about the genome build; `build` is None when the hint fits neither."""

    model_config = ConfigDict(frozen=True)

    source: EvidenceSource
    build: Build | None
    detail: str


class QualityReport(BaseModel):
    """`phased` is None when phased and unphased calls are mixed or no call tells; `has_chr_prefix` is None when
    the names are mixed or unknown. Counts cover what could be read: a damaged file is read up to the damage.
    `sites_per_mb`: for each human chromosome, the number of sites in each million base pairs from its beginning."""

    model_config = ConfigDict(frozen=True)

    verdict: Verdict
    build: Build | None
    build_evidence: list[BuildEvidence]
    chromosomes: list[str]
    samples: int
    variants: int
    phased: bool | None
    has_chr_prefix: bool | None
    sites_per_mb: dict[str, list[int]]
    issues: list[Issue]


def quote_bytes(raw: bytes) -> str:
    """Foreign bytes as short printable ASCII: a NUL would be refused by PostgreSQL, an escape by a terminal."""
    text = raw[: QUOTE_LIMIT + 1].decode("latin-1").encode("unicode_escape").decode("ascii")
    return text if len(text) <= QUOTE_LIMIT else text[: QUOTE_LIMIT - 1] + "…"


def judge_issues(issues: list[Issue]) -> Verdict:
    severities = {issue.severity for issue in issues}
    if "error" in severities:
        return "fail"
    return "warn" if "warning" in severities else "pass"
