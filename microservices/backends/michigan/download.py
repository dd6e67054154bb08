"""Fetch one result file, once.

The link is the right: no token goes along, neither to the site nor to the storage that it may redirect to.
"""

from pathlib import Path

import aiohttp

from microservices.backends.answers import Answer
from microservices.backends.base import ResultRefusedError, SiteError, SiteFile
from microservices.backends.download import Source, download_file
from microservices.backends.michigan.answers import explain_answer
from microservices.backends.michigan.client import CloudgeneClient


async def fetch_file(client: CloudgeneClient, file: SiteFile, destination: Path) -> None:
    """Raises `ResultRefusedError` (permanent when the site's downloads are used up or the file is gone), or
    `SiteUnavailableError`."""

    def explain(response: aiohttp.ClientResponse, body: bytes, refused: SiteFile) -> SiteError:
        return explain_refused_file(client.understand(response, body), refused)

    source = Source(client.session, client.connection, client.deadlines.download_idle_s, explain)
    await download_file(source, client.address(file.locator), file, destination)


def explain_refused_file(answer: Answer, file: SiteFile) -> SiteError:
    """Why a file was not given: too early, used up, or gone for good."""
    words = answer.words.lower()
    if answer.status == 404 and "download not found" in words:
        return ResultRefusedError(
            f"The site's link to {file.filename} does not work (yet): {answer.words}", code="result_not_ready"
        )
    if answer.status == 404 and answer.document is not None:
        return _refuse(file, f"is no longer at the site: {answer.words}", "results_gone", "Submit the run again.")
    if answer.status == 400 and "max downloads" in words:
        return _refuse(
            file,
            "has been downloaded as often as the site allows",
            "downloads_exhausted",
            "Ask the site to raise the limit, or submit the run again.",
        )
    if answer.status in (403, 404, 410):
        return ResultRefusedError(f"The storage refused {file.filename} ({answer.status}).", code="link_refused")
    return explain_answer(answer)


def _refuse(file: SiteFile, why: str, code: str, fix: str) -> ResultRefusedError:
    return ResultRefusedError(f"The file {file.filename} {why}.", code=code, permanent=True, fix=fix)
