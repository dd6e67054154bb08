"""Trying a site from here: does it answer, over which TLS, does it accept its credential, what does it offer?"""

import asyncio
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal
from uuid import UUID

import aiohttp
from django.utils import timezone
from pydantic import ValidationError

from django_app.imputation.models import ImputationService
from microservices.backends.base import (
    Backend,
    CredentialCheck,
    CredentialRefusedError,
    SiteConnection,
    SiteError,
    SiteProbe,
)
from microservices.backends.description import SiteDescription
from microservices.backends.registry import open_backend
from microservices.backends.session import open_site_session
from microservices.contracts.curation import ApiConfig
from microservices.kernel.crypto import DecryptionError
from microservices.kernel.logs import get_logger

_WAIT_S = 25.0
_AT_ONCE = 100
_ALL_WITHIN_S = 60.0
_NO_USE = "Nothing to do: the platform tries again."  # of a run; a curator who tries a site can do something
_ADVICE = {
    "connect_failed": "Check the address and its port, and whether the site's firewall lets this machine in.",
    "connect_timeout": "Check the address and its port, and whether the site's firewall lets this machine in.",
    "name_unknown": "Check how the address is spelt.",
    "tls_untrusted": "If the site has a certification authority of its own, store its CA certificate.",
    "tls_failed": "Check whether the site speaks https on this port at all.",
    "not_cloudgene": "Check the address, and the interface that was chosen.",
}


log = get_logger(__name__)


@dataclass(frozen=True)
class Examination:
    """`description` is asked for only where it is wanted, and None also where the site would not give one.

    `was_judged` False: the site could not say whether the credential is good, so `credential` tells why.
    """

    probe: SiteProbe
    tls: str = ""
    credential: CredentialCheck | None = None
    was_judged: bool = True
    description: SiteDescription | None = None

    @property
    def advice(self) -> str:
        return advise(self.probe.code, self.probe.fix)


def advise(code: str, fix: str) -> str:
    """What a curator can do about a `SiteError`; empty where nobody knows."""
    return _ADVICE.get(code, "" if fix == _NO_USE else fix)


def join_sentences(*parts: str) -> str:
    """One text for people; a site's own words often lack their full stop."""
    return " ".join(part if part[-1] in ".!?:" else f"{part}." for part in parts if part)


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

    @property
    def figures(self) -> str:
        """`12 ms, version 2.0.8`."""
        latency = f"{self.response_time_ms:.0f} ms" if self.response_time_ms is not None else ""
        version = f"version {self.version}" if self.version else ""
        return ", ".join(filter(None, (latency, version)))

    @property
    def details(self) -> str:
        """The site's own words, what to do, TLS, and the credential."""
        return join_sentences(self.message, self.fix, self.tls, self._describe_credential())

    def _describe_credential(self) -> str:
        if self.credential is None:
            return ""
        verdict = "accepted" if self.credential.valid else "refused"
        return (
            f"Credential {verdict}: {self.credential.message}" if self.credential.message else f"Credential {verdict}."
        )


async def try_sites(services: Sequence[ImputationService], within_s: float = _ALL_WITHIN_S) -> list[ConnectionReport]:
    """All of them, some at a time; those whose turn has not come within the time are reported as not tried."""
    free = asyncio.Semaphore(_AT_ONCE)

    async def try_in_turn(service: ImputationService) -> ConnectionReport:
        async with free:
            return await try_site(service)

    tasks = [asyncio.create_task(try_in_turn(service)) for service in services]
    if tasks:
        _, late = await asyncio.wait(tasks, timeout=within_s)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
    pairs = zip(services, tasks, strict=True)
    return [_report_untried(service) if task.cancelled() else task.result() for service, task in pairs]


async def try_site(service: ImputationService) -> ConnectionReport:
    """Whatever the site does is a finding, never an error."""
    try:
        connection = describe_connection(service)
    except ValidationError as error:
        reason = str(error.errors()[0]["msg"])
        return _report(service.id, _fail("Its api_config is not valid.", reason))
    except DecryptionError:
        return _report(service.id, _fail("Its credential cannot be opened with the platform's keys.", "Set it again."))
    return _report(service.id, await examine_site(connection))


async def examine_site(connection: SiteConnection, *, describe: bool = False) -> Examination:
    """Never raises for what a site does or how it is set up."""
    try:
        async with asyncio.timeout(_WAIT_S), open_site_session(connection) as http:
            return await _ask(connection, http, describe)
    except SiteError as error:
        return Examination(SiteProbe("unhealthy", None, error.message, fix=error.fix, code=error.code))
    except TimeoutError:
        return _fail(f"It did not answer within {_WAIT_S:.0f} s.", "", "timeout")


def describe_connection(service: ImputationService) -> SiteConnection:
    """Raises `DecryptionError`, or pydantic's `ValidationError` for settings that were stored past their check."""
    return SiteConnection(
        service.id,
        service.api_type,
        service.base_url,
        credential=service.credential.reveal() if service.credential else None,
        ca_pem=service.ca_pem,
        api_config=ApiConfig.model_validate(service.api_config),
    )


async def _ask(connection: SiteConnection, http: aiohttp.ClientSession, describe: bool) -> Examination:
    backend = open_backend(connection, http)
    probe, tls = await asyncio.gather(backend.probe(), examine_tls(connection, http))
    if probe.response_time_ms is None:
        return Examination(probe, tls)
    credential, was_judged = await _verify_credential(backend) if connection.credential else (None, True)
    description = None
    is_asked = describe and probe.health != "unhealthy"
    if is_asked and (credential is None or credential.valid or not was_judged):
        try:
            description = await backend.describe()
        except SiteError as error:
            log.info("site_not_described", code=error.code, reason=error.message)
    return Examination(probe, tls, credential, was_judged, description)


async def _verify_credential(backend: Backend) -> tuple[CredentialCheck, bool]:
    try:
        return await backend.verify_credential(), True
    except SiteError as error:
        return CredentialCheck(False, error.message), isinstance(error, CredentialRefusedError)


def _fail(message: str, fix: str, code: str = "") -> Examination:
    return Examination(SiteProbe("unhealthy", None, message, fix=fix, code=code))


def _report(service_id: UUID, found: Examination) -> ConnectionReport:
    probe = found.probe
    return ConnectionReport(
        service_id,
        probe.health,
        probe.response_time_ms,
        probe.version,
        found.tls,
        probe.message,
        found.advice,
        found.credential,
        timezone.now(),
    )


def _report_untried(service: ImputationService) -> ConnectionReport:
    return _report(service.id, _fail("It was not tried: the sites before it took too long.", "Try it again."))


async def examine_tls(connection: SiteConnection, http: aiohttp.ClientSession) -> str:
    """What a curator who has to mend it needs to hear, such as the certificate's own fault."""
    if connection.base_url.startswith("http://"):
        return "No TLS: plain http."
    try:
        async with http.get(connection.base_url, allow_redirects=False) as response:
            trusted = " (the stored CA certificate is trusted too)" if connection.ca_pem else ""
            return f"TLS: the certificate is verified{trusted}.{_tell_expiry(response)}"
    except aiohttp.ClientConnectorCertificateError as error:
        fault = error.certificate_error
        words = fault.verify_message if isinstance(fault, ssl.SSLCertVerificationError) else str(fault)
        return f"TLS: the certificate is refused: {words}."
    except aiohttp.ClientSSLError as error:
        return f"TLS: no secure connection: {error.strerror or 'handshake failed'}."
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
        return ""  # not TLS's fault: the probe says what it is


def _tell_expiry(response: aiohttp.ClientResponse) -> str:
    """When the certificate ends, where the connection is still there to be asked."""
    wire = response.connection.transport if response.connection else None
    certificate = wire.get_extra_info("peercert") if wire else None
    if not certificate or "notAfter" not in certificate:
        return ""
    end = datetime.fromtimestamp(ssl.cert_time_to_seconds(certificate["notAfter"]), UTC)
    return f" It is valid until {end:%Y-%m-%d}."
