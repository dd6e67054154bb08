"""The files that a job offers, what each of them is, and how large it may be."""

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote

from pydantic import TypeAdapter, ValidationError

from microservices.backends.archives import unpack_file
from microservices.backends.base import ResultKind, ResultMember, ResultRefusedError, SiteFile, SiteUnavailableError
from microservices.backends.filenames import check_filename
from microservices.backends.michigan.client import CloudgeneClient
from microservices.backends.michigan.jobs import read_job
from microservices.backends.michigan.wire import JobAnswer, OutputFile, OutputParameter

# Only administrators are shown these; they are the server's, not the run's.
_SERVER_LOGS = frozenset({"cloudgene_logs", "hadooplogs"})
_OUTPUTS = TypeAdapter(list[OutputParameter])
_UNITS = {"bytes": 1, "byte": 1, "kb": 1024, "mb": 1024**2, "gb": 1024**3, "tb": 1024**4}
_SIZE = re.compile(r"\s*([\d.,']{1,20})\s*([a-z]+)\s*", re.IGNORECASE)
_IMPUTED = re.compile(
    r"chr_?[0-9a-z.]+\.zip|.*\.(dose|empiricalDose|phased)\.vcf\.gz(\.tbi)?|.*\.info(\.gz)?", re.IGNORECASE
)
_REPORTS = frozenset({"qc_report.txt", "qc_output.txt", "quality-control.html", "qcreport.html"})


async def list_results(
    client: CloudgeneClient, external_job_id: str, recipe: dict[str, Any] | None = None
) -> list[SiteFile]:
    """What can be fetched; raises `ResultRefusedError` (permanent) once the site has deleted the files."""
    job = await read_job(client, external_job_id)
    if job.state in (7, 10):
        raise ResultRefusedError(
            "The site has already deleted the results of this job.",
            code="results_gone",
            permanent=True,
            fix="Submit the run again, and collect within the site's 7 days.",
        )
    return [_offer_file(file) for file in _list_outputs(job)]


def _list_outputs(job: JobAnswer) -> list[OutputFile]:
    try:
        outputs = _OUTPUTS.validate_python(job.outputParams or [])
    except ValidationError:
        raise SiteUnavailableError(
            "The site's list of results is not what its interface promises.", code="answer_unreadable"
        ) from None
    return [file for output in outputs if output.name not in _SERVER_LOGS for file in output.files or ()]


def _offer_file(file: OutputFile) -> SiteFile:
    """The shared link works on both generations; Cloudgene 2 wants the exact name behind the hash."""
    return SiteFile(
        filename=check_filename(file.name),
        kind=classify_file(file.name),
        locator=f"/share/results/{quote(file.hash, safe='')}/{quote(file.name)}",
        size_range=read_size(file.size),
        downloads_left=None if file.count is None or file.count < 0 else file.count,
    )


def unpack_results(
    _client: CloudgeneClient, file: SiteFile, path: Path, password: str | None
) -> Iterator[ResultMember]:
    return unpack_file(file, path, password, classify_file)


def classify_file(filename: str) -> ResultKind:
    """What a result file or an archive's member is, by its name."""
    base = PurePosixPath(filename).name
    if _IMPUTED.fullmatch(base):
        return "imputed_data"
    if base in _REPORTS:
        return "quality_report"
    return "log" if base.endswith(".log") else "metadata"


def read_size(text: str | None) -> tuple[int, int] | None:
    """The bounds in bytes of a size that was rounded down to a whole unit (`82 MB`; 1 KB = 1,024); None: unknown."""
    found = _SIZE.fullmatch(text or "")
    unit = _UNITS.get(found[2].lower()) if found else None
    digits = re.sub(r"[,.']", "", found[1]) if found else ""
    if unit is None or not digits:
        return None
    return int(digits) * unit, (int(digits) + 1) * unit - 1
