"""The sites as a worker reaches them: their settings, their accounts, and one session for each."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, Literal, TypeVar
from uuid import UUID

import aiohttp

from microservices.backends.base import Backend, BucketAccess, SiteConnection
from microservices.backends.registry import open_backend
from microservices.backends.session import open_site_session
from microservices.contracts.registry import SiteRecord
from microservices.job_processor.models import Run, SiteRemoval
from microservices.job_processor.peers import Peers
from microservices.job_processor.queries import Watched
from microservices.kernel.errors import DependencyUnavailableError

_FRESH_S = 30
_STALE_S = 3600
_AWAY_S = 5

CredentialSource = Literal["own", "curated", "none"]
Key = TypeVar("Key")
Value = TypeVar("Value")


@dataclass(frozen=True)
class Account:
    """Whose account at the site is used. `credential` is a secret."""

    source: CredentialSource
    credential: str | None = field(default=None, repr=False)


class CredentialMissingError(Exception):
    """The site wants a token, and neither the person nor the curator gave one."""


class Memory(Generic[Key, Value]):
    """Answers of our services, remembered for 30 s, and for an hour while the one that gave them is away.

    One that is away is left alone for 5 s: thousands of runs must not wait for it in turn.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._known: dict[Key, tuple[float, Value | None]] = {}
        self._ask_again_at = 0.0

    def get(self, key: Key, ask: Callable[[], Value], *, fresh: bool = False) -> Value:
        """The answer to `key`; with `fresh`, one that is given now. Raises what `ask` raises."""
        now = self._clock()
        at, answer = (-math.inf, None) if fresh else self._known.get(key, (-math.inf, None))
        is_away = now < self._ask_again_at
        if answer is not None and now - at < (_STALE_S if is_away else _FRESH_S):
            return answer
        if is_away:
            raise DependencyUnavailableError("A part of the platform does not answer.")
        try:
            found = ask()
        except DependencyUnavailableError:
            self._ask_again_at = self._clock() + _AWAY_S
            if answer is None or now - at > _STALE_S:
                raise
            return answer
        except Exception:
            self._known.pop(key, None)
            raise
        self.put(key, found)
        return found

    def recall(self, key: Key) -> Value | None:
        """The answer, if it is fresh."""
        at, answer = self._known.get(key, (-math.inf, None))
        return answer if self._clock() - at < _FRESH_S else None

    def put(self, key: Key, answer: Value) -> None:
        self._known[key] = (self._clock(), answer)

    def forget(self, key: Key) -> None:
        """What was remembered has proved wrong."""
        self._known.pop(key, None)


class Sites:
    def __init__(self, peers: Peers, buckets: BucketAccess | None = None) -> None:
        self._peers, self._buckets = peers, buckets
        self._records: Memory[UUID, SiteRecord] = Memory()
        self._accounts: Memory[tuple[UUID, UUID, str | None], Account] = Memory()
        self._sessions: dict[UUID, tuple[SiteConnection, aiohttp.ClientSession]] = {}
        self._outdated: list[aiohttp.ClientSession] = []

    def get_record(self, service_id: UUID) -> SiteRecord:
        return self._records.get(service_id, lambda: self._peers.get_site(service_id))

    def recall(self, run: Watched, source: str) -> tuple[SiteRecord, Account] | None:
        """What is remembered and fresh: without asking anybody, so that it costs an event loop nothing."""
        record = self._records.recall(run.service_id)
        account = self._accounts.recall((run.owner_id, run.service_id, source))
        return None if record is None or account is None else (record, account)

    def get_account(self, run: Run | Watched | SiteRemoval, record: SiteRecord, source: str | None) -> Account:
        """The account of `source` that a submission was made with; without one, the best for a new submission.

        That is asked for now, whatever is remembered: the person's own credential first, the curated one only where
        the curator shares it (a run that was sent with it stays with it). Raises `CredentialMissingError`.
        """
        key = (run.owner_id, run.service_id, source)
        account = self._accounts.get(key, lambda: self._find_account(run, record, source), fresh=source is None)
        if source is None:  # the watch asks by source: it must not go on with a token that was renewed since
            self._accounts.put((run.owner_id, run.service_id, account.source), account)
        return account

    def forget_account(self, run: Run | Watched, source: str) -> None:
        """The site refused it: ask for it anew the next time, as its owner may have renewed it."""
        self._accounts.forget((run.owner_id, run.service_id, source))

    def _find_account(self, run: Run | Watched | SiteRemoval, record: SiteRecord, source: str | None) -> Account:
        if source in (None, "own"):
            own = self._peers.find_personal_credential(run.owner_id, run.service_id, run.id)
            if own is not None:
                return Account("own", own)
        if source == "curated" or (source is None and record.site.credential_shared and record.has_credential):
            curated = self._peers.find_curated_credential(run.service_id, run.id)
            if curated is not None:
                return Account("curated", curated)
        if source == "none" or (source is None and not record.site.requires_auth):
            return Account("none")
        raise CredentialMissingError

    async def open(self, record: SiteRecord, account: Account) -> Backend:
        """The site's adapter; to be called on the worker's event loop, where the site's session lives.

        A session whose settings have changed stays open for the uploads and downloads that still use it.
        """
        site = record.site
        anonymous = SiteConnection(
            service_id=site.id,
            api_type=site.api_type,
            base_url=site.base_url,
            ca_pem=site.ca_pem,
            api_config=site.api_config,
            buckets=self._buckets,
        )
        known = self._sessions.get(site.id)
        if known is None or known[0] != anonymous:
            if known is not None:
                self._outdated.append(known[1])
            known = (anonymous, open_site_session(anonymous))
            self._sessions[site.id] = known
        connection = SiteConnection(**{**vars(anonymous), "credential": account.credential})
        return open_backend(connection, known[1])

    async def close(self) -> None:
        """End all sessions; to be called on the loop that they live on."""
        for session in (*self._outdated, *(session for _connection, session in self._sessions.values())):
            await session.close()
        self._outdated.clear()
        self._sessions.clear()
