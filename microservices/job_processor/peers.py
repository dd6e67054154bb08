"""Our other services, as job_processor asks them."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, BinaryIO
from uuid import UUID

import httpx
from anyio import to_thread

from microservices.contracts.file_manager import (
    ArchiveRequest,
    InputLinkRequest,
    InputLinks,
    InputRecord,
    InputsRequest,
    ResultRecord,
    ResultUpload,
)
from microservices.contracts.registry import CuratedCredentialRequest, SiteRecord
from microservices.contracts.user_service import CredentialRequest, SiteCredential
from microservices.job_processor.errors import InputFileNotFoundError, ResultsNotFoundError, SiteNotFoundError
from microservices.job_processor.settings import Settings
from microservices.kernel.errors import DependencyUnavailableError, NotFoundError, UpstreamRefusedError
from microservices.kernel.service_tokens import PeerClient, ServiceTokens

_CHUNK = 1 << 18  # larger pieces leave the processor's cache: a third slower


class Peers:
    """One client per service, all with our own service token unless a caller is given."""

    def __init__(self, settings: Settings) -> None:
        self.tokens = ServiceTokens(settings.authority_url, "job_processor", settings.client_secret)
        self.files = PeerClient("file_manager", settings.files_url, self.tokens)
        self.registry = PeerClient("service_registry", settings.registry_url, self.tokens)
        self.users = PeerClient("user_service", settings.authority_url, self.tokens)
        self.archives = httpx.AsyncClient(
            base_url=settings.files_url,
            timeout=httpx.Timeout(60, connect=5, pool=None),
            limits=httpx.Limits(),
            trust_env=False,
        )
        self._uploads = httpx.Client(base_url=settings.files_url, timeout=httpx.Timeout(60, connect=5), trust_env=False)

    def close(self) -> None:
        for client in (self.files, self.registry, self.users, self._uploads):
            client.close()

    def list_inputs(self, file_ids: Sequence[UUID], owner_id: UUID, organization_id: UUID) -> list[InputRecord]:
        """A person's files in this order, and all with one call; what is not theirs does not exist.

        Raises `InputFileNotFoundError`.
        """
        wish = InputsRequest(organization_id=organization_id, owner_id=owner_id, file_ids=list(file_ids))
        answer = self.files.call("POST", "/internal/inputs", json=wish.model_dump(mode="json"))
        found = {record.file.id: record for record in map(InputRecord.model_validate, answer)}
        for file_id in file_ids:
            if file_id not in found:
                raise InputFileNotFoundError(f"There is no file {file_id} among yours. Upload it first.")
        return [found[file_id] for file_id in file_ids]

    def create_input_links(self, run_id: UUID, attempt: int, file_ids: Iterable[UUID]) -> dict[UUID, str]:
        """By file: an address (a secret) where a site can fetch it by itself until the run ends."""
        wish = InputLinkRequest(run_id=run_id, attempt=attempt, file_ids=list(file_ids))
        answer = self.files.call("POST", "/internal/input-links", json=wish.model_dump(mode="json"))
        return {link.file_id: link.url for link in InputLinks.model_validate(answer).items}

    def get_site(self, service_id: UUID) -> SiteRecord:
        try:
            return SiteRecord.model_validate(self.registry.call("GET", f"/internal/sites/{service_id}"))
        except NotFoundError as error:
            raise SiteNotFoundError(f"There is no site {service_id} in the catalogue.") from error

    def find_personal_credential(self, user_id: UUID, service_id: UUID, run_id: UUID) -> str | None:
        request = CredentialRequest(user_id=user_id, service_id=service_id, run_id=run_id)
        return _secret_or_none(self.users, "/internal/site-credentials/resolve", request.model_dump(mode="json"))

    def find_curated_credential(self, service_id: UUID, run_id: UUID) -> str | None:
        request = CuratedCredentialRequest(run_id=run_id)
        return _secret_or_none(
            self.registry, f"/internal/sites/{service_id}/credential", request.model_dump(mode="json")
        )

    def store_result(self, upload: ResultUpload, stream: BinaryIO) -> ResultRecord:
        """Stream one result file into file_manager; the same run and name again replaces it."""
        try:
            answer = self._uploads.post(
                "/internal/results",
                params=upload.model_dump(mode="json"),
                content=_read_chunks(stream),
                headers=self.files.headers(),
            )
        except httpx.TransportError as error:
            raise DependencyUnavailableError("file_manager does not answer.") from error
        if answer.status_code in (429, 502, 503, 504, 507):
            raise DependencyUnavailableError("file_manager cannot store the results at the moment.")
        if not answer.is_success:
            raise UpstreamRefusedError(f"file_manager refused a result file ({answer.status_code}).")
        return ResultRecord.model_validate(answer.json())

    def list_results(self, run_ids: Iterable[UUID]) -> list[ResultRecord]:
        answer = self.files.call("GET", "/internal/results", params={"run_id": [str(run_id) for run_id in run_ids]})
        return [ResultRecord.model_validate(item) for item in answer]

    async def open_archive(self, wish: ArchiveRequest) -> httpx.Response:
        """Results as one zip, to be read as it comes, and closed."""
        headers = await to_thread.run_sync(self.files.headers)
        request = self.archives.build_request(
            "POST", "/internal/results/archive", json=wish.model_dump(mode="json"), headers=headers
        )
        try:
            answer = await self.archives.send(request, stream=True)
        except httpx.TransportError as error:
            raise DependencyUnavailableError("file_manager does not answer. Try again in a few seconds.") from error
        if answer.is_success:
            return answer
        await answer.aclose()
        if answer.status_code == 404:
            raise ResultsNotFoundError("The results are not here any more.")
        raise DependencyUnavailableError("file_manager cannot give the results at the moment. Try again.")

    def delete_results(self, job_id: UUID) -> None:
        self.files.call("DELETE", "/internal/results", params={"job_id": str(job_id)})


def _secret_or_none(client: PeerClient, path: str, body: dict[str, Any]) -> str | None:
    try:
        return SiteCredential.model_validate(client.call("POST", path, json=body)).credential
    except NotFoundError:
        return None


def _read_chunks(stream: BinaryIO) -> Iterator[bytes]:
    while chunk := stream.read(_CHUNK):
        yield chunk
