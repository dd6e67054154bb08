"""From a probe's finding to a site's health: pure functions.

`degraded` has two meanings with one status: in maintenance (answers, but takes no work: not available), and slow
(answers correctly, but late: available).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from microservices.backends.base import SiteProbe
from microservices.contracts.registry import HealthStatus

_LONGEST_MESSAGE = 1000


@dataclass(frozen=True)
class HealthPolicy:
    """When a site counts as slow, and when long silence is warned of and switches it off."""

    slow_after_ms: float
    warn_after: timedelta
    deactivate_after: timedelta


@dataclass(frozen=True)
class SiteHealth:
    """`message` is in words for people; None while all is well."""

    status: HealthStatus
    is_available: bool
    message: str | None
    response_time_ms: float | None
    checked_at: datetime | None
    offline_since: datetime | None = None
    auto_deactivated_at: datetime | None = None


def assess_probe(before: SiteHealth, probe: SiteProbe, at: datetime, policy: HealthPolicy) -> SiteHealth:
    """The site's health after `probe`; a site that answers again is switched on again."""
    status, is_available, message = _judge_probe(probe, policy)
    offline_since = (before.offline_since or at) if status == "unhealthy" else None
    deactivated_at = None
    if offline_since is not None:
        is_due = at - offline_since >= policy.deactivate_after
        deactivated_at = before.auto_deactivated_at or (at if is_due else None)
    return SiteHealth(status, is_available, message, probe.response_time_ms, at, offline_since, deactivated_at)


def _judge_probe(probe: SiteProbe, policy: HealthPolicy) -> tuple[HealthStatus, bool, str | None]:
    match probe.health:
        case "healthy" if (probe.response_time_ms or 0) > policy.slow_after_ms:
            return "degraded", True, f"Slow: it answered after {(probe.response_time_ms or 0) / 1000:.1f} s."
        case "healthy":
            return "healthy", True, None
        case "degraded":
            return "degraded", False, clean_message(probe.message)
        case _:
            return "unhealthy", False, clean_message(probe.message)


def clean_message(text: str) -> str:
    """A foreign text as PostgreSQL can store it: no NUL, no half surrogates, not endless."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()[:_LONGEST_MESSAGE] or "No reason was given."


def announce_change(before: SiteHealth, after: SiteHealth, policy: HealthPolicy) -> str | None:
    """What people should be told, or None when nothing has changed for them."""
    if after.auto_deactivated_at and not before.auto_deactivated_at:
        return f"Offline for {policy.deactivate_after.days} days: switched off until it answers again."
    if before.auto_deactivated_at and not after.auto_deactivated_at:
        return "It answers again and is switched on."
    if after.status != before.status:
        return after.message or "It answers."
    if _is_warning_due(before, after, policy):
        left = policy.deactivate_after - policy.warn_after
        return f"Offline for {policy.warn_after.days} days: it will be switched off in {left.days} days."
    return None


def _is_warning_due(before: SiteHealth, after: SiteHealth, policy: HealthPolicy) -> bool:
    """Once: by the first probe after the moment of warning."""
    if after.offline_since is None or after.checked_at is None or before.checked_at is None:
        return False
    moment = after.offline_since + policy.warn_after
    return before.checked_at < moment <= after.checked_at
