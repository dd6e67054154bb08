"""From findings to health: the rules, without a server."""

from datetime import UTC, datetime, timedelta

import pytest

from microservices.backends.base import SiteProbe
from microservices.service_registry.logic.announcements import announce_change
from microservices.service_registry.logic.assessment import HealthPolicy, SiteHealth, assess_probe

POLICY = HealthPolicy(slow_after_ms=5000)
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
UNKNOWN = SiteHealth("unknown", False, None, None, None)
DOWN = SiteProbe("unhealthy", None, "The site could not be reached.")
UP = SiteProbe("healthy", 120.0, "Site answers.")


def assess_offline(days: float, since_last: timedelta = timedelta(minutes=5)) -> tuple[SiteHealth, str | None]:
    """A probe that fails `days` after the first that did, and what people are told of it."""
    start = NOW - timedelta(days=days)
    before = SiteHealth("unhealthy", False, "Down.", None, NOW - since_last, offline_since=start)
    after = assess_probe(before, DOWN, NOW, POLICY)
    announcement = announce_change(before, after, POLICY)
    return after, announcement and announcement.message


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


def test_warnings_come_once_a_week_and_a_day_before_a_site_is_switched_off() -> None:
    assert assess_offline(22.99)[1] is None
    assert assess_offline(23.001)[1] == "Offline for 23 days: it will be switched off in 7 days."
    assert assess_offline(24)[1] is None
    assert assess_offline(29.001)[1] == "Offline for 29 days: it will be switched off in 1 day."
    assert assess_offline(29.5)[1] is None


def test_a_time_in_which_nobody_looked_is_no_time_offline() -> None:
    """The platform was off for a month: its sites are not switched off for that, and not without their warnings."""
    after, words = assess_offline(31, since_last=timedelta(days=30.5))
    assert after.offline_since == NOW - timedelta(days=0.5)
    assert (after.auto_deactivated_at, words) == (None, None)


def test_a_site_is_switched_off_after_thirty_days_and_on_after_an_hour_of_answers() -> None:
    assert assess_offline(29.99)[0].auto_deactivated_at is None
    off, words = assess_offline(30)
    assert off.auto_deactivated_at == NOW
    assert words is not None
    assert "switched off" in words
    later = assess_probe(off, DOWN, NOW + timedelta(hours=1), POLICY)
    assert later.auto_deactivated_at == NOW
    assert announce_change(off, later, POLICY) is None
    first = assess_probe(later, UP, NOW + timedelta(hours=2), POLICY)
    assert (first.status, first.auto_deactivated_at) == ("healthy", NOW)
    second = assess_probe(first, UP, NOW + timedelta(hours=2, minutes=59), POLICY)
    assert second.auto_deactivated_at == NOW
    assert announce_change(first, second, POLICY) is None
    back = assess_probe(second, UP, NOW + timedelta(hours=3), POLICY)
    assert (back.auto_deactivated_at, back.answering_since) == (None, None)
    told = announce_change(second, back, POLICY)
    assert told is not None
    assert (told.step, told.message) == ("reactivated", "It has answered for 1 hour and is switched on again.")


def test_a_site_that_answers_and_falls_silent_within_the_hour_stays_off() -> None:
    off = assess_offline(30)[0]
    first = assess_probe(off, UP, NOW + timedelta(minutes=30), POLICY)
    silent = assess_probe(first, DOWN, NOW + timedelta(minutes=60), POLICY)
    again = assess_probe(silent, UP, NOW + timedelta(minutes=80), POLICY)
    assert again.answering_since == NOW + timedelta(minutes=80)
    assert assess_probe(again, UP, NOW + timedelta(minutes=100), POLICY).auto_deactivated_at == NOW
