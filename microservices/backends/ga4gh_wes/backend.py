"""One WES server, spoken to as one account: every question of `Backend`, each answered in its own module."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp

from microservices.backends.archives import unpack_file
from microservices.backends.base import (
    CredentialCheck,
    ResultKind,
    ResultMember,
    SiteConnection,
    SiteFile,
    SiteJob,
    SiteProbe,
    Submission,
)
from microservices.backends.description import SiteDescription
from microservices.backends.ga4gh_wes.catalogue import check_credential, probe_server
from microservices.backends.ga4gh_wes.client import WesClient
from microservices.backends.ga4gh_wes.description import describe_site
from microservices.backends.ga4gh_wes.logs import read_failure_log
from microservices.backends.ga4gh_wes.results import classify_output, fetch_file, list_results
from microservices.backends.ga4gh_wes.runs import cancel_run, list_all_runs, list_run_states, read_status
from microservices.backends.ga4gh_wes.submission import submit_run
from microservices.backends.session import Deadlines


class WesBackend:
    """`Backend` for WES 1.0 and 1.1."""

    def __init__(
        self, connection: SiteConnection, session: aiohttp.ClientSession, deadlines: Deadlines | None = None
    ) -> None:
        self._client = WesClient(connection, session, deadlines or Deadlines())

    async def probe(self) -> SiteProbe:
        return await probe_server(self._client)

    async def describe(self) -> SiteDescription:
        return await describe_site(self._client)

    async def verify_credential(self) -> CredentialCheck:
        return await check_credential(self._client)

    async def submit(self, submission: Submission) -> str:
        return await submit_run(self._client, submission)

    async def status(self, external_job_id: str) -> SiteJob:
        return await read_status(self._client, external_job_id)

    def list_jobs(self) -> AsyncIterator[SiteJob]:
        return list_all_runs(self._client)

    def list_states(self) -> AsyncIterator[SiteJob]:
        return list_run_states(self._client)

    async def cancel(self, external_job_id: str) -> SiteJob:
        return await cancel_run(self._client, external_job_id)

    async def failure_log(self, external_job_id: str) -> str:
        return await read_failure_log(self._client, external_job_id)

    async def results(self, external_job_id: str, recipe: dict[str, Any] | None = None) -> list[SiteFile]:
        return await list_results(self._client, external_job_id, recipe)

    async def fetch(self, file: SiteFile, destination: Path) -> None:
        await fetch_file(self._client, file, destination)

    def unpack(self, file: SiteFile, path: Path, password: str | None) -> Iterator[ResultMember]:
        """Members of an archive are told by their names; a file that is none is what the recipe called it."""

        def classify(name: str) -> ResultKind:
            return file.kind if name == file.filename else classify_output(name)

        return unpack_file(file, path, password, classify)
