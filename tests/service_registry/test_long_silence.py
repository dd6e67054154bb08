"""A site that stays silent is switched off after its warnings, and comes back by itself: with a clock that is moved."""

from datetime import timedelta
from typing import Any

import pytest

from tests.service_registry.clock import Clock
from tests.service_registry.conftest import StartRegistry
from tests.service_registry.registry import Registry, describe_panel
from tests.waiting import wait_until

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)


def list_steps(registry: Registry, site_id: str) -> list[tuple[str, str]]:
    """(step, message) of what curators have to know of."""
    events = [event["data"] for event in registry.list_events("service.health_changed", site_id)]
    return [(event["step"], event["message"]) for event in events if event["step"]]


def wait_for_steps(registry: Registry, site_id: str, *expected: str) -> None:
    wait_until(lambda: len(list_steps(registry, site_id)) >= len(expected), f"steps {expected} are told")
    assert [step for step, _ in list_steps(registry, site_id)] == list(expected)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def read_curated_flag(registry: Registry, site_id: str) -> Any:
    with registry.engine.connect() as connection:
        return connection.exec_driver_sql(
            "SELECT is_active FROM imputation_services WHERE id = %(id)s", {"id": site_id}
        ).scalar_one()


def stay_silent_to_the_end(registry: Registry, clock: Clock, silent: str, other: str) -> None:
    """Thirty days from the first failure, with the warnings on the way."""
    clock.move(registry, MINUTE * 6, silent, other)
    for _ in range(22):
        clock.move(registry, DAY, silent)
    assert list_steps(registry, silent) == []
    clock.move(registry, DAY, silent)
    wait_for_steps(registry, silent, "warned")
    assert list_steps(registry, silent)[0][1] == "Offline for 23 days: it will be switched off in 7 days."
    for _ in range(6):
        clock.move(registry, DAY, silent)
    wait_for_steps(registry, silent, "warned", "warned")
    assert list_steps(registry, silent)[1][1] == "Offline for 29 days: it will be switched off in 1 day."
    assert registry.read(f"/services/{silent}")["is_active"] is True
    clock.move(registry, DAY, silent, other)
    wait_for_steps(registry, silent, "warned", "warned", "deactivated")


def come_back(registry: Registry, clock: Clock, silent: str, other: str) -> None:
    """An hour of answers, after an hour in which it is asked but once."""
    asked = registry.sites.hits[silent]
    for _ in range(8):
        clock.move(registry, MINUTE * 7, other)
    assert registry.sites.hits[silent] == asked  # hourly only
    registry.sites.modes[silent] = "healthy"
    clock.move(registry, MINUTE * 8, silent, other)
    service = registry.read(f"/services/{silent}")
    assert (service["health_status"], service["is_active"]) == ("healthy", False)
    for _ in range(9):
        clock.move(registry, MINUTE * 6, silent)  # at the usual interval again
    assert registry.read(f"/services/{silent}")["is_active"] is False
    clock.move(registry, MINUTE * 6, silent)


def test_thirty_days_of_silence_from_the_first_failure_to_the_return(
    start_registry: StartRegistry, clock: Clock
) -> None:
    registry = start_registry(now=clock)
    panel = describe_panel()
    silent = registry.store(registry.describe_site("html", panels=[panel]))
    other = registry.store(registry.describe_site())

    stay_silent_to_the_end(registry, clock, silent, other)
    service = registry.read(f"/services/{silent}")
    assert (service["is_active"], service["is_available"]) == (False, False)
    assert service["auto_deactivated_at"] == service["last_health_check"]
    assert registry.read(f"/panels/{panel['id']}")["is_active"] is False
    assert registry.read_site(silent).json()["site"]["is_active"] is False
    assert read_curated_flag(registry, silent) is True  # the curator's own

    come_back(registry, clock, silent, other)
    service = registry.read(f"/services/{silent}")
    assert (service["is_active"], service["auto_deactivated_at"], service["is_available"]) == (True, None, True)
    assert registry.read(f"/panels/{panel['id']}")["is_active"] is True
    wait_for_steps(registry, silent, "warned", "warned", "deactivated", "reactivated")
    assert list_steps(registry, other) == []


def test_a_curator_who_corrects_the_address_brings_the_site_back_at_once(
    start_registry: StartRegistry, clock: Clock
) -> None:
    registry = start_registry(now=clock, deactivate_after_days=1, warn_before_days=(0.5,))
    document = registry.describe_site("html")
    site_id = registry.store(document)
    clock.move(registry, MINUTE * 6, site_id)
    for _ in range(4):
        clock.move(registry, HOUR * 6, site_id)
    wait_for_steps(registry, site_id, "warned", "deactivated")
    registry.sites.modes[site_id] = "healthy"
    registry.store({**document, "base_url": f"{document['base_url']}/"})
    wait_until(lambda: registry.read(f"/services/{site_id}")["health_status"] == "healthy", "probed anew")
    assert registry.read(f"/services/{site_id}")["is_active"] is True


def test_a_platform_that_was_off_for_a_month_switches_no_site_off(start_registry: StartRegistry, clock: Clock) -> None:
    registry = start_registry(now=clock)
    site_id = registry.store(registry.describe_site("html"))
    clock.move(registry, MINUTE * 6, site_id)
    clock.move(registry, DAY * 40, site_id)
    clock.move(registry, DAY, site_id)
    assert registry.read(f"/services/{site_id}")["is_active"] is True
    assert list_steps(registry, site_id) == []
