"""Writing down what probes have found: state, history and events in one transaction, in bulk."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from microservices.backends.base import SiteProbe
from microservices.contracts.registry import SERVICE_HEALTH_CHANGED, HealthChanged, HealthStatus
from microservices.kernel.outbox import NewEvent, record_events
from microservices.service_registry.logic.announcements import Announcement, announce_change
from microservices.service_registry.logic.assessment import HealthPolicy, SiteHealth, assess_probe, clean_message
from microservices.service_registry.queries.channels import PANELS_CHANGED, SERVICES_CHANGED, SITE_CHECKED, ring
from microservices.service_registry.queries.probes import HeldSite, lock_claimed, write_findings

_JITTER = 0.05
_LONGEST_INTERVAL_S = 86_400
_DEACTIVATED_INTERVAL_S = 3600
_LONGEST_VERSION = 100


@dataclass(frozen=True)
class Finding:
    """What a probe under `claim_id` found; the interval to the next one counts from `started_at`."""

    claim_id: UUID
    started_at: datetime
    ended_at: datetime
    probe: SiteProbe


def record_findings(session: Session, findings: Sequence[Finding], policy: HealthPolicy) -> None:
    """Findings whose claim has lapsed or was taken away are dropped: they are late, or of a former address."""
    by_claim = {finding.claim_id: finding for finding in findings}
    states: list[dict[str, Any]] = []
    history: list[dict[str, Any]] = []
    events: list[NewEvent] = []
    for site in lock_claimed(session, list(by_claim)):
        finding = by_claim[site.claim_id]
        before = read_health(site)
        after = assess_probe(before, finding.probe, finding.ended_at, policy)
        states.append(_state_row(site, finding, after))
        history.append(_history_row(site, finding, before, after))
        announcement = announce_change(before, after, policy)
        if announcement is not None:
            events.append(_make_event(site, before.status, after, announcement))
        if (before.auto_deactivated_at is None) != (after.auto_deactivated_at is None):
            ring(session, PANELS_CHANGED)
    write_findings(session, states, history)
    record_events(session, events, subscribers=["job_processor", "notification"])
    ring(session, SERVICES_CHANGED, SITE_CHECKED)


def read_health(site: HeldSite) -> SiteHealth:
    return SiteHealth(
        site.health_status,
        site.is_available,
        site.error_message,
        site.response_time_ms,
        site.last_health_check,
        site.offline_since,
        site.auto_deactivated_at,
        site.answering_since,
    )


def _state_row(site: HeldSite, finding: Finding, after: SiteHealth) -> dict[str, Any]:
    return {
        "id": site.id,
        "health_status": after.status,
        "is_available": after.is_available,
        "response_time_ms": after.response_time_ms,
        "error_message": after.message,
        "last_health_check": after.checked_at,
        "offline_since": after.offline_since,
        "auto_deactivated_at": after.auto_deactivated_at,
        "answering_since": after.answering_since,
        "version": finding.probe.version and clean_message(finding.probe.version)[:_LONGEST_VERSION],
        "api_version": finding.probe.api_version and clean_message(finding.probe.api_version)[:_LONGEST_VERSION],
        "capabilities": finding.probe.capabilities,
        "next_check_at": plan_next_check(finding.started_at, choose_interval(site, after)),
    }


def choose_interval(site: HeldSite, health: SiteHealth) -> float:
    """Seconds to the next check: the curator's, but seldom while a site that was silent for too long still is."""
    usual: float = site.api_config["health_interval_s"]
    is_silent = health.auto_deactivated_at is not None and health.answering_since is None
    return max(usual, _DEACTIVATED_INTERVAL_S) if is_silent else usual


def plan_next_check(started_at: datetime, interval_s: float) -> datetime:
    """Spread by a few per cent, so that sites that arrived together are not probed together for ever."""
    spread = random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311 (no secret)
    return started_at + timedelta(seconds=min(interval_s, _LONGEST_INTERVAL_S) * spread)


def _history_row(site: HeldSite, finding: Finding, before: SiteHealth, after: SiteHealth) -> dict[str, Any]:
    """A finding speaks for the time since the one before, unless that is so long that nobody can have looked."""
    since_last_s = (finding.ended_at - before.checked_at).total_seconds() if before.checked_at else 0.0
    return {
        "service_id": site.id,
        "checked_at": after.checked_at,
        "health_status": after.status,
        "is_available": after.is_available,
        "response_time_ms": after.response_time_ms,
        "message": after.message or clean_message(finding.probe.message),
        "covers_s": min(max(since_last_s, 0.0), 2 * choose_interval(site, before)),
    }


def _make_event(site: HeldSite, previous: HealthStatus, after: SiteHealth, announcement: Announcement) -> NewEvent:
    change = HealthChanged.model_validate(
        {
            "service_id": site.id,
            "name": site.name,
            "health_status": after.status,
            "previous": previous,
            "message": announcement.message,
            "checked_at": after.checked_at,
            "step": announcement.step,
        }
    )
    return NewEvent(SERVICE_HEALTH_CHANGED, f"site/{site.id}", change.model_dump())
