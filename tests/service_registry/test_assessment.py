"""From findings to health: the rules, without a server."""

from datetime import UTC, datetime, timedelta

import pytest

from microservices.backends.base import SiteProbe
from microservices.service_registry.logic.assessment import HealthPolicy, SiteHealth, announce_change, assess_probe

POLICY = HealthPolicy(slow_after_ms=5000, warn_after=timedelta(days=27), deactivate_after=timedelta(days=30))
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
UNKNOWN = SiteHealth("unknown", False, None, None, None)
DOWN = SiteProbe("unhealthy", None, "The site could not be reached.")
UP = SiteProbe("healthy", 120.0, "Site answers.")


def assess_offline(days: float, since_last: timedelta = timedelta(minutes=5)) -> tuple[SiteHealth, str | None]:
    """A probe that fails `days` after the first that did."""
    start = NOW - timedelta(days=days)
    before = SiteHealth("unhealthy", False, "Down.", None, NOW - since_last, offline_since=start)
    after = assess_probe(before, DOWN, NOW, POLICY)
    return after, announce_change(before, after, POLICY)


def test_a_slow_site_is_degraded_but_available() -> None:
    slow = assess_probe(UNKNOWN, SiteProbe("healthy", 6200.0, "Site answers."), NOW, POLICY)
    assert (slow.status, slow.is_available, slow.message) == ("degraded", True, "Slow: it answered after 6.2 s.")


def test_a_site_in_maintenance_is_degraded_and_not_available_but_not_offline() -> None:
    resting = assess_probe(UNKNOWN, SiteProbe("degraded", 90.0, "Back on Monday."), NOW, POLICY)
    assert (resting.status, resting.is_available, resting.offline_since) == ("degraded", False, None)


@pytest.mark.parametrize("text", ["", "a\x00b", "\ud800", "x" * 5000])
def test_a_sites_words_can_always_be_stored(text: str) -> None:
    message = assess_probe(UNKNOWN, SiteProbe("unhealthy", None, text), NOW, POLICY).message
    assert message
    assert len(message) <= 1000
    assert "\x00" not in message
    message.encode()


def test_offline_counts_from_the_first_failure_and_ends_with_an_answer() -> None:
    first = assess_probe(UNKNOWN, DOWN, NOW, POLICY)
    second = assess_probe(first, DOWN, NOW + timedelta(hours=1), POLICY)
    assert first.offline_since == second.offline_since == NOW
    assert assess_probe(second, UP, NOW + timedelta(hours=2), POLICY).offline_since is None


def test_a_warning_comes_once_before_a_site_is_switched_off() -> None:
    assert assess_offline(26.9)[1] is None
    assert assess_offline(27.001)[1] == "Offline for 27 days: it will be switched off in 3 days."
    assert assess_offline(28)[1] is None
    assert assess_offline(28, since_last=timedelta(days=2))[1] is not None


def test_a_site_is_switched_off_after_thirty_days_and_on_when_it_answers() -> None:
    assert assess_offline(29.9)[0].auto_deactivated_at is None
    off, words = assess_offline(30)
    assert off.auto_deactivated_at == NOW
    assert words is not None
    assert "switched off" in words
    later = assess_probe(off, DOWN, NOW + timedelta(days=1), POLICY)
    assert later.auto_deactivated_at == NOW
    assert announce_change(off, later, POLICY) is None
    back = assess_probe(later, UP, NOW + timedelta(days=2), POLICY)
    assert back.auto_deactivated_at is None
    assert announce_change(later, back, POLICY) == "It answers again and is switched on."
