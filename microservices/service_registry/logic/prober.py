"""Asking one site how it is: whatever happens, there is a finding."""

import asyncio
import functools
import time
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import aiohttp

from microservices.backends.base import SiteConnection, SiteError, SiteProbe
from microservices.backends.registry import open_backend
from microservices.backends.session import open_site_session
from microservices.contracts.curation import ApiConfig
from microservices.kernel.logs import get_logger
from microservices.service_registry.logic.names import NameResolver
from microservices.service_registry.queries.probes import CLAIM_MARGIN_S, ClaimedSite

_FORGET_IDLE_S = 3600

log = get_logger(__name__)


@dataclass
class _OpenSession:
    http: aiohttp.ClientSession
    used_at: float


def describe_connection(site: ClaimedSite) -> SiteConnection:
    config = _read_config(tuple(site.api_config.items()))
    return SiteConnection(site.id, site.api_type, site.base_url, ca_pem=site.ca_pem, api_config=config)


@functools.lru_cache(maxsize=1024)
def _read_config(settings: tuple[tuple[str, Any], ...]) -> ApiConfig:
    """Most sites have the same few settings."""
    return ApiConfig.model_validate(dict(settings))


class Prober:
    """Keeps HTTP sessions on the running loop, one for all sites of the same TLS, time-outs and network.

    Sessions hold nothing of a site's, and probes carry no credential: they go to anybody's address.
    """

    def __init__(self) -> None:
        self._sessions: dict[Hashable, _OpenSession] = {}
        self._names = NameResolver()

    async def probe(self, site: ClaimedSite) -> SiteProbe:
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
            return await open_backend(connection, self._find_session(connection)).probe()

    def _find_session(self, connection: SiteConnection) -> aiohttp.ClientSession:
        """Of all that `open_site_session` makes something of."""
        config = connection.api_config
        key = (connection.ca_pem, config.allow_private_network, config.connect_timeout_s, config.request_timeout_s)
        known = self._sessions.get(key)
        if known is None:
            known = self._sessions[key] = _OpenSession(open_site_session(connection, self._names), 0)
        known.used_at = time.monotonic()
        return known.http

    async def close_idle(self) -> None:
        """Sessions that no site needs any more."""
        oldest = time.monotonic() - _FORGET_IDLE_S
        for key in [key for key, session in self._sessions.items() if session.used_at < oldest]:
            await self._sessions.pop(key).http.close()

    async def close(self) -> None:
        for session in self._sessions.values():
            await session.http.close()
        self._sessions.clear()
        await self._names.close()
