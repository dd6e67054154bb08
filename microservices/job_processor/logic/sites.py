"""The sites as a worker reaches them: their settings, their accounts, and one session for each."""

import time
from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

import aiohttp

from microservices.backends.base import Backend, SiteConnection
from microservices.backends.registry import open_backend
from microservices.backends.session import open_site_session
from microservices.contracts.registry import SiteRecord
from microservices.job_processor.models import Run
from microservices.job_processor.peers import Peers
from microservices.kernel.errors import DependencyUnavailableError

_FRESH_S = 30
_STALE_S = 3600

CredentialSource = Literal["own", "curated", "none"]


@dataclass(frozen=True)
class Account:
    """Whose account at the site is used. `credential` is a secret."""

    source: CredentialSource
    credential: str | None = field(default=None, repr=False)


class CredentialMissingError(Exception):
    """The site wants a token, and neither the person nor the curator gave one."""


class Sites:
    """What is known of the sites is remembered for 30 s, and for an hour while its owner cannot be asked."""

    def __init__(self, peers: Peers) -> None:
        self._peers = peers
        self._records: dict[UUID, tuple[float, SiteRecord]] = {}
        self._accounts: dict[tuple[UUID, UUID], tuple[float, Account]] = {}
        self._sessions: dict[UUID, tuple[SiteConnection, aiohttp.ClientSession]] = {}

    def get_record(self, service_id: UUID) -> SiteRecord:
        known = self._records.get(service_id)
        now = time.monotonic()
        if known is not None and now - known[0] < _FRESH_S:
            return known[1]
        try:
            record = self._peers.get_site(service_id)
        except DependencyUnavailableError:
            if known is None or now - known[0] > _STALE_S:
                raise
            return known[1]
        self._records[service_id] = (now, record)
        return record

    def get_account(self, run: Run, record: SiteRecord, *, fresh: bool = False) -> Account:
        """The person's own credential first; the curated one only where the curator shares it.

        `fresh`: ask now, whatever is remembered (before a submission). Raises `CredentialMissingError`.
        """
        place = (run.owner_id, run.service_id)
        known = self._accounts.get(place)
        now = time.monotonic()
        if known is not None and not fresh and now - known[0] < _FRESH_S:
            return known[1]
        try:
            account = self._find_account(run, record)
        except DependencyUnavailableError:
            if known is None or fresh or now - known[0] > _STALE_S:
                raise
            return known[1]
        self._accounts[place] = (now, account)
        return account

    def _find_account(self, run: Run, record: SiteRecord) -> Account:
        own = self._peers.find_personal_credential(run.owner_id, run.service_id, run.id)
        if own is not None:
            return Account("own", own)
        if record.site.credential_shared and record.has_credential:
            curated = self._peers.find_curated_credential(run.service_id, run.id)
            if curated is not None:
                return Account("curated", curated)
        if record.site.requires_auth:
            raise CredentialMissingError
        return Account("none")

    async def open(self, record: SiteRecord, account: Account) -> Backend:
        """The site's adapter; to be called on the worker's event loop, where the site's session lives."""
        site = record.site
        anonymous = SiteConnection(
            service_id=site.id,
            api_type=site.api_type,
            base_url=site.base_url,
            ca_pem=site.ca_pem,
            api_config=site.api_config,
        )
        known = self._sessions.get(site.id)
        if known is None or known[0] != anonymous or known[1].closed:
            if known is not None:
                await known[1].close()
            known = (anonymous, open_site_session(anonymous))
            self._sessions[site.id] = known
        connection = SiteConnection(**{**vars(anonymous), "credential": account.credential})
        return open_backend(connection, known[1])

    async def close(self) -> None:
        """End all sessions; to be called on the loop that they live on."""
        for _connection, session in self._sessions.values():
            await session.close()
        self._sessions.clear()
