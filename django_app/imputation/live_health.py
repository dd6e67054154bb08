"""The sites' health, which is the registry's: read through for a page, and asked anew when a curator wants it.

What is known is kept for some seconds in the process, and a registry that is slow or down costs a page little time.
"""

import asyncio
import threading
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from functools import cache
from uuid import UUID

import httpx
from django.conf import settings
from pydantic import TypeAdapter, ValidationError

from microservices.contracts.registry import SiteHealth
from microservices.kernel.errors import ServiceError
from microservices.kernel.logs import get_logger
from microservices.kernel.service_tokens import ServiceTokens

_KEPT_S = 10.0
_PAGE_WAITS_S = 1.0
_READ_TIMEOUT_S = 5.0
_CHECK_TIMEOUT_S = 25.0
_HEALTHS = TypeAdapter(list[SiteHealth])
_FAILURES = (httpx.HTTPError, ServiceError, ValidationError)

NO_ANSWER = "unknown: registry does not answer"

log = get_logger(__name__)


class LiveHealth:
    """`read` never raises and never waits long; None: the registry has told nothing."""

    def __init__(self, registry_url: str, tokens: ServiceTokens) -> None:
        self._url = registry_url
        self._tokens = tokens
        self._http = httpx.Client(timeout=_READ_TIMEOUT_S, trust_env=False)
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="live-health")
        self._lock = threading.Lock()
        self._reading: Future[Mapping[UUID, SiteHealth] | None] | None = None
        self._fresh_until = self._patient_until = 0.0

    def read(self) -> Mapping[UUID, SiteHealth] | None:
        """All who ask share one question, and 1 s of waiting for it: rows that come later do not wait again."""
        with self._lock:
            if self._reading is None or (self._reading.done() and time.monotonic() >= self._fresh_until):
                self._reading = self._executor.submit(self._ask)
                self._patient_until = time.monotonic() + _PAGE_WAITS_S
            reading, wait_s = self._reading, max(self._patient_until - time.monotonic(), 0)
        try:
            return reading.result(timeout=wait_s)
        except FutureTimeoutError:
            return None

    def forget(self) -> None:
        """The next page asks again."""
        self._fresh_until = 0.0

    def _ask(self) -> Mapping[UUID, SiteHealth] | None:
        try:
            answer = self._http.get(f"{self._url}/internal/sites", headers=self._authorize())
            answer.raise_for_status()
            return {health.id: health for health in _HEALTHS.validate_json(answer.content)}
        except _FAILURES as error:
            log.warning("live_health_not_read", error=f"{type(error).__name__}: {error}"[:300])
            return None
        finally:
            self._fresh_until = time.monotonic() + _KEPT_S

    async def check(self, service_ids: Iterable[UUID]) -> dict[UUID, SiteHealth | str]:
        """Have the registry probe these sites now, all at once; the health of each, or in words why there is none."""
        ids = list(service_ids)
        try:
            headers = await asyncio.to_thread(self._authorize)
        except ServiceError as error:
            return dict.fromkeys(ids, error.detail)
        async with httpx.AsyncClient(timeout=_CHECK_TIMEOUT_S, headers=headers, trust_env=False) as http:
            found = await asyncio.gather(*(self._check_one(http, service_id) for service_id in ids))
        self.forget()
        return dict(zip(ids, found, strict=True))

    async def _check_one(self, http: httpx.AsyncClient, service_id: UUID) -> SiteHealth | str:
        try:
            answer = await http.post(f"{self._url}/internal/sites/{service_id}/probe")
            if answer.is_success:
                return SiteHealth.model_validate_json(answer.content)
        except httpx.ReadTimeout:
            return "the site is still being asked; its health will show in the list"
        except (httpx.HTTPError, ValidationError):
            return NO_ANSWER
        return _explain_refusal(answer)

    def _authorize(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._tokens.get()}"}


def _explain_refusal(answer: httpx.Response) -> str:
    if answer.status_code == 404:
        return "the registry has not heard of this site yet; see its sync state"
    try:
        return str(answer.json()["detail"])[:300]
    except (ValueError, KeyError, TypeError):
        return f"the registry answers {answer.status_code}"


@cache
def get_live_health() -> LiveHealth:
    """One per process: its connection, its token and what it knows outlive the requests."""
    environment = settings.ENVIRONMENT
    tokens = ServiceTokens(environment.authority_url, "django", environment.client_secret)
    return LiveHealth(environment.registry_url, tokens)


def name_status(health: SiteHealth) -> str:
    return health.health_status if health.last_health_check else "not checked yet"


def describe_finding(health: SiteHealth) -> str:
    """Response time, and what is wrong."""
    latency = f"{health.response_time_ms:.0f} ms" if health.response_time_ms is not None else ""
    return ", ".join(filter(None, (latency, health.error_message)))
