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
    """When a site counts as slow, and when long silence is warned of, switches it off, and is over.

    `warn_before`: how long before the switching off each warning comes. `unwatched_after`: of a longer time between
    two checks nobody knows whether the site was offline; so it never goes off without its warnings.
    """

    slow_after_ms: float
    warn_before: tuple[timedelta, ...] = (timedelta(days=7), timedelta(days=1))
    deactivate_after: timedelta = timedelta(days=30)
    reactivate_after: timedelta = timedelta(hours=1)
    unwatched_after: timedelta = timedelta(hours=26)


@dataclass(frozen=True)
class SiteHealth:
    """`message` is in words for people; None while all is well. `answering_since`: of a site that is switched off."""

    status: HealthStatus
    is_available: bool
    message: str | None
    response_time_ms: float | None
    checked_at: datetime | None
    offline_since: datetime | None = None
    auto_deactivated_at: datetime | None = None
    answering_since: datetime | None = None


def assess_probe(before: SiteHealth, probe: SiteProbe, at: datetime, policy: HealthPolicy) -> SiteHealth:
    """The site's health after `probe`."""
    status, is_available, message = _judge_probe(probe, policy)
    found = (status, is_available, message, probe.response_time_ms, at)
    if status == "unhealthy":
        since = _count_offline_since(before, at, policy)
        is_due = at - since >= policy.deactivate_after
        return SiteHealth(*found, since, before.auto_deactivated_at or (at if is_due else None))
    if before.auto_deactivated_at is None:
        return SiteHealth(*found)
    answering_since = before.answering_since or at
    if at - answering_since >= policy.reactivate_after:
        return SiteHealth(*found)
    return SiteHealth(*found, None, before.auto_deactivated_at, answering_since)


def _count_offline_since(before: SiteHealth, at: datetime, policy: HealthPolicy) -> datetime:
    """A time in which nobody looked is no time offline."""
    if before.offline_since is None or before.checked_at is None:
        return at
    gap = at - before.checked_at
    return before.offline_since + (gap if gap > policy.unwatched_after else timedelta())


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
