"""One Cloudgene server, spoken to as one account: every question of `Backend`, each answered in its own module."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp

from microservices.backends.archives import unpack_file
from microservices.backends.base import (
    CredentialCheck,
    ResultMember,
    SiteConnection,
    SiteFile,
    SiteJob,
    SiteProbe,
    Submission,
)
from microservices.backends.description import SiteDescription
from microservices.backends.michigan.client import CloudgeneClient
from microservices.backends.michigan.credential import check_credential
from microservices.backends.michigan.description import describe_site
from microservices.backends.michigan.download import fetch_file
from microservices.backends.michigan.jobs import cancel_job, list_all_jobs, read_failure_log, read_status
from microservices.backends.michigan.probe import probe_server
from microservices.backends.michigan.results import classify_file, list_results
from microservices.backends.michigan.submission import submit_run
from microservices.backends.session import Deadlines


class MichiganBackend:
    """`Backend` for Cloudgene 3, and for Cloudgene 2 where it differs."""

    def __init__(
        self, connection: SiteConnection, session: aiohttp.ClientSession, deadlines: Deadlines | None = None
    ) -> None:
        self._client = CloudgeneClient(connection, session, deadlines or Deadlines())

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
        return list_all_jobs(self._client)

    def list_states(self) -> AsyncIterator[SiteJob]:
        return list_all_jobs(self._client)

    async def cancel(self, external_job_id: str) -> SiteJob:
        return await cancel_job(self._client, external_job_id)

    async def failure_log(self, external_job_id: str) -> str:
        return await read_failure_log(self._client, external_job_id)

    async def results(self, external_job_id: str, recipe: dict[str, Any] | None = None) -> list[SiteFile]:
        return await list_results(self._client, external_job_id)

    async def fetch(self, file: SiteFile, destination: Path) -> None:
        await fetch_file(self._client, file, destination)

    def unpack(self, file: SiteFile, path: Path, password: str | None) -> Iterator[ResultMember]:
        return unpack_file(file, path, password, classify_file)
