"""The smallest adapter there can be: a site that takes one file, and gives back one.

`POST /jobs?name=MARK` with the file as body → `{"id"}`; `GET /jobs/{id}` → `{"id", "name", "done"}`; `GET /jobs`;
`GET /jobs/{id}/result`.
"""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
from yarl import URL

from microservices.backends.answers import explain_any_answer
from microservices.backends.archives import unpack_file
from microservices.backends.base import (
    CredentialCheck,
    ResultMember,
    SiteConnection,
    SiteError,
    SiteFile,
    SiteJob,
    SiteProbe,
    Submission,
)
from microservices.backends.description import Capabilities, SiteDescription
from microservices.backends.download import Source, download_file
from microservices.backends.failures import refuse_unoffered, translate_failures
from microservices.backends.ga4gh_wes.answers import read_answer
from microservices.backends.responses import read_bounded
from microservices.backends.session import Deadlines
from microservices.backends.upload import FilePart, UploadBody, open_upload

CAN = Capabilities(
    lists_panels=False,
    finds_by_mark=True,
    cancels=False,
    hands_out_results=True,
    takes_files=True,
    restarts=False,
    deletes=False,
)


class ToyBackend:
    def __init__(self, connection: SiteConnection, session: aiohttp.ClientSession) -> None:
        self._connection = connection
        self._session = session

    def _address(self, path: str) -> URL:
        return URL(self._connection.base_url.rstrip("/") + path, encoded=True)

    async def _ask(self, path: str) -> dict[str, Any]:
        with translate_failures():
            async with self._session.get(self._address(path), allow_redirects=False) as response:
                answer = read_answer(response.status, response.headers, await read_bounded(response))
        if answer.status != 200 or answer.document is None:
            raise explain_any_answer(answer)
        return answer.document

    async def probe(self) -> SiteProbe:
        try:
            await self._ask("/jobs")
        except SiteError as error:
            return SiteProbe("unhealthy", None, error.message, fix=error.fix, code=error.code)
        return SiteProbe("healthy", None, "The toy answers.")

    async def describe(self) -> SiteDescription:
        return SiteDescription("Toy", "toy", None, capabilities=CAN)

    async def verify_credential(self) -> CredentialCheck:
        return CredentialCheck(True, "The toy asks nobody for a token.")

    async def submit(self, submission: Submission) -> str:
        body = UploadBody([("name", submission.mark)], [FilePart("cohort.vcf.gz", submission.files[0], "file")])
        async with open_upload(
            self._session, self._connection, Deadlines(), self._address("/jobs"), {}, body
        ) as response:
            answer = read_answer(response.status, response.headers, await read_bounded(response))
        if answer.status != 200 or answer.document is None:
            raise explain_any_answer(answer)
        return str(answer.document["id"])

    async def status(self, external_job_id: str) -> SiteJob:
        return _translate(await self._ask(f"/jobs/{quote(external_job_id, safe='')}"))

    async def list_jobs(self) -> AsyncIterator[SiteJob]:
        for job in (await self._ask("/jobs"))["jobs"]:
            yield _translate(job)

    list_states = list_jobs

    async def cancel(self, external_job_id: str) -> SiteJob:
        return await self.status(external_job_id)

    async def restart(self, external_job_id: str) -> SiteJob:
        raise refuse_unoffered("The toy gives no job up.", "Retry the run.")

    async def delete(self, external_job_id: str) -> None:
        raise refuse_unoffered("The toy keeps its jobs.", "Ask its operators.")

    async def failure_log(self, external_job_id: str) -> str:
        return ""

    async def results(self, external_job_id: str, recipe: dict[str, Any] | None = None) -> list[SiteFile]:
        return [SiteFile("imputed.txt", "imputed_data", f"/jobs/{quote(external_job_id, safe='')}/result")]

    async def fetch(self, file: SiteFile, destination: Path) -> None:
        def explain(response: aiohttp.ClientResponse, body: bytes, _file: SiteFile) -> SiteError:
            return explain_any_answer(read_answer(response.status, response.headers, body))

        source = Source(self._session, self._connection, Deadlines().download_idle_s, explain)
        await download_file(source, self._address(file.locator), file, destination)

    def unpack(self, file: SiteFile, path: Path, password: str | None) -> Iterator[ResultMember]:
        return unpack_file(file, path, password, lambda _name: file.kind)


def _translate(job: dict[str, Any]) -> SiteJob:
    state = "succeeded" if job["done"] else "running"
    return SiteJob(job["id"], job["name"], "succeeded" if job["done"] else "running", state)
