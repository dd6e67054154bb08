"""What people are told when a site's health changes, and which changes are steps that curators have to know of."""

from dataclasses import dataclass
from datetime import timedelta

from microservices.contracts.registry import HealthStep
from microservices.service_registry.logic.assessment import HealthPolicy, SiteHealth


@dataclass(frozen=True)
class Announcement:
    """`step` is None for an ordinary change of status, which everybody may see and nobody has to act on."""

    message: str
    step: HealthStep | None = None


def announce_change(before: SiteHealth, after: SiteHealth, policy: HealthPolicy) -> Announcement | None:
    """None when nothing has changed for people."""
    if after.auto_deactivated_at and not before.auto_deactivated_at:
        words = f"Offline for {_put(policy.deactivate_after)}: switched off until it has answered again for a while."
        return Announcement(words, "deactivated")
    if before.auto_deactivated_at and not after.auto_deactivated_at:
        words = f"It has answered for {_put(policy.reactivate_after)} and is switched on again."
        return Announcement(words, "reactivated")
    if after.answering_since and not before.answering_since:
        return Announcement(
            f"It answers again. It stays switched off until it has answered for {_put(policy.reactivate_after)}."
        )
    warning = _find_warning(before, after, policy)
    if warning is not None:
        offline = _put(policy.deactivate_after - warning)
        return Announcement(f"Offline for {offline}: it will be switched off in {_put(warning)}.", "warned")
    if after.status != before.status:
        return Announcement(after.message or "It answers.")
    return None


def _find_warning(before: SiteHealth, after: SiteHealth, policy: HealthPolicy) -> timedelta | None:
    """Each warning once: by the first probe after its moment; of several moments the last counts."""
    if after.auto_deactivated_at or after.offline_since is None or after.checked_at is None:
        return None
    due = [left for left in policy.warn_before if _is_between(before, after, policy.deactivate_after - left)]
    return min(due, default=None)


def _is_between(before: SiteHealth, after: SiteHealth, offline_for: timedelta) -> bool:
    """Has the site been offline for so long now, and had it not been at the check before?"""
    assert after.offline_since is not None
    assert after.checked_at is not None
    if before.offline_since is None or before.checked_at is None:
        return False
    known = before.checked_at - before.offline_since
    return known < offline_for <= after.checked_at - after.offline_since


def _put(span: timedelta) -> str:
    """In the largest unit that gives a whole number."""
    for unit, length in (("day", 86_400), ("hour", 3600), ("minute", 60), ("second", 1)):
        number, rest = divmod(span.total_seconds(), length)
        if number and not rest:
            return f"{number:.0f} {unit}{'' if number == 1 else 's'}"
    return f"{span.total_seconds():g} seconds"
