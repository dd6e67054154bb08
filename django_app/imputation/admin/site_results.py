"""What an action found of each site, in words for a row or a message."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from asgiref.sync import async_to_sync
from django.db import transaction

from django_app.imputation.connection import ConnectionReport, try_sites
from django_app.imputation.live_health import get_live_health, name_status
from django_app.imputation.models import ImputationService
from django_app.outbox.recording import record_change
from microservices.contracts.registry import SiteHealth

_AT_ONCE = 50
_ALL_WITHIN_S = 60.0
_LOOKS = {"healthy": "success", "degraded": "warning", "unhealthy": "danger"}


@dataclass(frozen=True)
class SiteResult:
    """`look`: success, warning, danger or info; `verdict` in one or two words, `facts` in figures, `words` the rest."""

    service: ImputationService
    look: str
    verdict: str
    facts: str = ""
    words: str = ""

    def describe(self) -> str:
        head = ", ".join(filter(None, (self.verdict, self.facts)))
        return f"{head}. {self.words}".strip()


Act = Callable[[Sequence[ImputationService]], list[SiteResult]]


def test_connections(services: Sequence[ImputationService]) -> list[SiteResult]:
    reports = async_to_sync(try_sites)(services)
    return [_tell_report(service, report) for service, report in zip(services, reports, strict=True)]


def _tell_report(service: ImputationService, report: ConnectionReport) -> SiteResult:
    look = _LOOKS[report.status]
    if look == "success" and not report.is_good:
        look = "danger"
    return SiteResult(service, look, report.status, report.figures, report.details)


def check_healths(services: Sequence[ImputationService]) -> list[SiteResult]:
    """Through the registry, some at a time; those whose turn has not come within the time are told as not asked."""
    deadline = time.monotonic() + _ALL_WITHIN_S
    found: dict[UUID, SiteHealth | str] = {}
    for start in range(0, len(services), _AT_ONCE):
        if time.monotonic() > deadline:
            break
        ids = [service.pk for service in services[start : start + _AT_ONCE]]
        found |= async_to_sync(get_live_health().check)(ids)
    return [_tell_health(service, found.get(service.pk)) for service in services]


def _tell_health(service: ImputationService, health: SiteHealth | str | None) -> SiteResult:
    if health is None:
        return SiteResult(service, "warning", "not asked", words="The sites before it took too long: check it again.")
    if isinstance(health, str):
        return SiteResult(service, "warning", "not known", words=f"{health[:1].upper()}{health[1:]}.")
    look = _LOOKS.get(health.health_status, "info")
    latency = f"{health.response_time_ms:.0f} ms" if health.response_time_ms is not None else ""
    return SiteResult(service, look, name_status(health), latency, health.error_message or "")


def push_sites(services: Sequence[ImputationService]) -> list[SiteResult]:
    """Tell the registry again, also what it refused before; the locks are taken in the order of names."""
    with transaction.atomic():
        versions = {subject: record_change(subject) for subject in sorted(service.subject for service in services)}
    return [
        SiteResult(service, "success", "pushed", words=f"The registry is told version {versions[service.subject]} now.")
        for service in services
    ]
