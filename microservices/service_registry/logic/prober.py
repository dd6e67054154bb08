"""Asking one site how it is: whatever happens, there is a finding."""

import asyncio
import time
from dataclasses import dataclass
from uuid import UUID

import aiohttp

from microservices.backends.base import SiteConnection, SiteError, SiteProbe
from microservices.backends.registry import open_backend
from microservices.backends.session import open_site_session
from microservices.contracts.curation import ApiConfig, ApiType
from microservices.kernel.logs import get_logger
from microservices.service_registry.logic.names import NameResolver
from microservices.service_registry.models import ImputationService
from microservices.service_registry.queries.probes import CLAIM_MARGIN_S

_FORGET_IDLE_S = 3600

log = get_logger(__name__)


@dataclass
class _OpenSession:
    connection: SiteConnection
    http: aiohttp.ClientSession
    used_at: float


def describe_connection(site: ImputationService) -> SiteConnection:
    api_type: ApiType = site.api_type  # type: ignore[assignment]
    config = ApiConfig.model_validate(site.api_config)
    return SiteConnection(site.id, api_type, site.base_url, ca_pem=site.ca_pem, api_config=config)


class Prober:
    """Keeps one HTTP session per site on the running loop. Probes carry no credential: they go to anybody's address."""

    def __init__(self) -> None:
        self._sessions: dict[UUID, _OpenSession] = {}
        self._names = NameResolver()

    async def probe(self, site: ImputationService) -> SiteProbe:
        """Never raises, and ends before the claim does; a bug in an adapter is a finding too."""
        try:
            return await self._ask(describe_connection(site))
        except SiteError as error:
            return SiteProbe("unhealthy", None, error.message)
        except TimeoutError:
            return SiteProbe("unhealthy", None, "It did not answer within the time that a probe may take.")
        except Exception as error:
            log.exception("probe_failed", service_id=str(site.id))
            return SiteProbe("unhealthy", None, f"The check itself failed ({type(error).__name__}): tell an operator.")

    async def _ask(self, connection: SiteConnection) -> SiteProbe:
        config = connection.api_config
        async with asyncio.timeout(config.connect_timeout_s + config.request_timeout_s + CLAIM_MARGIN_S / 2):
            http = await self._find_session(connection)
            return await open_backend(connection, http).probe()

    async def _find_session(self, connection: SiteConnection) -> aiohttp.ClientSession:
        known = self._sessions.get(connection.service_id)
        if known is not None and known.connection == connection:
            known.used_at = time.monotonic()
            return known.http
        http = open_site_session(connection, self._names)
        self._sessions[connection.service_id] = _OpenSession(connection, http, time.monotonic())
        if known is not None:
            await known.http.close()
        return http

    async def close_idle(self) -> None:
        """Sessions of sites that are gone or switched off."""
        oldest = time.monotonic() - _FORGET_IDLE_S
        for service_id in [key for key, session in self._sessions.items() if session.used_at < oldest]:
            await self._sessions.pop(service_id).http.close()

    async def close(self) -> None:
        for session in self._sessions.values():
            await session.http.close()
        self._sessions.clear()
        await self._names.close()
