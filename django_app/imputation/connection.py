"""Trying a site from here, as it is stored: does it answer, over which TLS, and does it accept its credential?"""

import asyncio
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

import aiohttp
from django.utils import timezone
from pydantic import ValidationError

from django_app.imputation.models import ImputationService
from microservices.backends.base import CredentialCheck, SiteConnection, SiteError, SiteProbe
from microservices.backends.registry import open_backend
from microservices.backends.session import open_site_session
from microservices.contracts.curation import ApiConfig
from microservices.kernel.crypto import DecryptionError

_WAIT_S = 25.0
_AT_ONCE = 20


@dataclass(frozen=True)
class ConnectionReport:
    """`tls` in words, empty where nothing can be said; `credential` None where there is none to be tried."""

    service_id: UUID
    status: Literal["healthy", "degraded", "unhealthy"]
    response_time_ms: float | None
    version: str | None
    tls: str
    message: str
    fix: str
    credential: CredentialCheck | None
    tested_at: datetime

    @property
    def is_good(self) -> bool:
        return self.status == "healthy" and (self.credential is None or self.credential.valid)

    def describe(self) -> str:
        """One line for people."""
        latency = f"{self.response_time_ms:.0f} ms" if self.response_time_ms is not None else ""
        version = f"version {self.version}" if self.version else ""
        head = ", ".join(filter(None, (self.status, latency, version)))
        return " ".join(filter(None, (f"{head}.", self.message, self.fix, self.tls, self._describe_credential())))

    def _describe_credential(self) -> str:
        if self.credential is None:
            return ""
        verdict = "accepted" if self.credential.valid else "refused"
        return (
            f"Credential {verdict}: {self.credential.message}" if self.credential.message else f"Credential {verdict}."
        )


async def try_sites(services: Iterable[ImputationService]) -> list[ConnectionReport]:
    """All of them, some at a time."""
    free = asyncio.Semaphore(_AT_ONCE)

    async def try_in_turn(service: ImputationService) -> ConnectionReport:
        async with free:
            return await try_site(service)

    return await asyncio.gather(*(try_in_turn(service) for service in services))


async def try_site(service: ImputationService) -> ConnectionReport:
    """Whatever the site does is a finding, never an error."""
    try:
        connection = describe_connection(service)
        async with asyncio.timeout(_WAIT_S), open_site_session(connection) as http:
            return await _ask(connection, http)
    except SiteError as error:
        return _report_failure(service, error.message, error.fix)
    except ValidationError as error:
        return _report_failure(service, "Its api_config is not valid.", str(error.errors()[0]["msg"]))
    except DecryptionError:
        return _report_failure(service, "Its credential cannot be opened with the platform's keys.", "Set it again.")
    except TimeoutError:
        return _report_failure(service, f"It did not answer within {_WAIT_S:.0f} s.", "")


def describe_connection(service: ImputationService) -> SiteConnection:
    """Raises `DecryptionError`, or pydantic's `ValidationError` for settings that were stored past their check."""
    return SiteConnection(
        service.id,
        service.api_type,  # type: ignore[arg-type]
        service.base_url,
        credential=service.credential.reveal() if service.credential else None,
        ca_pem=service.ca_pem,
        api_config=ApiConfig.model_validate(service.api_config),
    )


async def _ask(connection: SiteConnection, http: aiohttp.ClientSession) -> ConnectionReport:
    backend = open_backend(connection, http)
    probe, tls = await asyncio.gather(backend.probe(), examine_tls(connection, http))
    credential = None
    if connection.credential and probe.response_time_ms is not None:
        try:
            credential = await backend.verify_credential()
        except SiteError as error:
            credential = CredentialCheck(False, error.message)
    return _report(connection.service_id, probe, tls, credential)


def _report(service_id: UUID, probe: SiteProbe, tls: str, credential: CredentialCheck | None) -> ConnectionReport:
    return ConnectionReport(
        service_id,
        probe.health,
        probe.response_time_ms,
        probe.version,
        tls,
        probe.message,
        "",
        credential,
        timezone.now(),
    )


def _report_failure(service: ImputationService, message: str, fix: str) -> ConnectionReport:
    return ConnectionReport(service.id, "unhealthy", None, None, "", message, fix, None, timezone.now())


async def examine_tls(connection: SiteConnection, http: aiohttp.ClientSession) -> str:
    """What a curator who has to mend it needs to hear, such as the certificate's own fault."""
    if connection.base_url.startswith("http://"):
        return "No TLS: plain http."
    try:
        async with http.get(connection.base_url, allow_redirects=False):
            trusted = " (the stored CA certificate is trusted too)" if connection.ca_pem else ""
            return f"TLS: the certificate is verified{trusted}."
    except aiohttp.ClientConnectorCertificateError as error:
        fault = error.certificate_error
        words = fault.verify_message if isinstance(fault, ssl.SSLCertVerificationError) else str(fault)
        return f"TLS: the certificate is refused: {words}."
    except aiohttp.ClientSSLError as error:
        return f"TLS: no secure connection: {error.strerror or 'handshake failed'}."
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
        return ""  # not TLS's fault: the probe says what it is
