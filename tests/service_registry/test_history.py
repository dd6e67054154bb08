"""A site's past: checks for thirty days, days for ever, and how much of the time it was available."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from microservices.service_registry.models import ImputationService, ServiceHealthLog
from tests.service_registry.clock import Clock
from tests.service_registry.conftest import StartRegistry
from tests.service_registry.registry import Registry
from tests.waiting import wait_until

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def insert_site(connection: sa.Connection, name: str) -> UUID:
    """A site that is switched off, so that nothing is added to its history."""
    site = {
        "id": uuid4(),
        "name": name,
        "service_type": "imputation",
        "api_type": "michigan",
        "location": "",
        "base_url": "http://127.0.0.1:1",
        "country": "ZA",
        "requires_auth": True,
        "credential_shared": False,
        "api_config": {},
        "is_active": False,
        "supported_formats": ["vcf.gz"],
    }
    return connection.execute(sa.insert(ImputationService).values(site).returning(ImputationService.id)).scalar_one()


def insert_checks(
    connection: sa.Connection, site_id: UUID, days: range, *, down_hours: range, response_ms: float = 100
) -> None:
    """One check an hour, of `days` before now; the site was down in `down_hours` of each."""
    start = NOW.replace(hour=0)
    rows = [
        {
            "service_id": site_id,
            "checked_at": start - timedelta(days=day) + timedelta(hours=hour),
            "covers_s": 3600,
            "health_status": "unhealthy" if hour in down_hours else "healthy",
            "is_available": hour not in down_hours,
            "response_time_ms": None if hour in down_hours else response_ms + hour,
            "message": "told",
        }
        for day in days
        for hour in range(24)
        if start - timedelta(days=day) + timedelta(hours=hour) < NOW
    ]
    connection.execute(sa.insert(ServiceHealthLog), rows)


def ask_availability(registry: Registry) -> dict[str, dict[str, float | None]]:
    headers = registry.authority.service("monitoring", "catalogue:read")
    answer = registry.http.get("/internal/sites/availability", headers=headers)
    assert answer.status_code == 200, answer.text
    return {site["name"]: site for site in answer.json()}


@pytest.fixture
def past(start_registry: StartRegistry, new_database: object) -> tuple[Registry, str]:
    """A registry that finds forty-five days of checks: down for six hours of each day, and since yesterday for none."""
    url = new_database()
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        site_id = insert_site(connection, "Half Up")
        insert_checks(connection, site_id, range(2, 46), down_hours=range(6))
        insert_checks(connection, site_id, range(2), down_hours=range(0))
        insert_site(connection, "Never Seen")
    engine.dispose()
    registry = start_registry(url, now=Clock(NOW))
    wait_until(lambda: registry.read(f"/services/{site_id}/health", limit=1)["total"] < 40 * 24, "the past is tidied")
    return registry, str(site_id)


def test_after_thirty_days_checks_are_told_by_days(past: tuple[Registry, str]) -> None:
    registry, site_id = past
    checks = registry.read(f"/services/{site_id}/health", limit=200, sort="checked_at")
    assert checks["items"][0]["checked_at"] == "2026-10-23T12:00:00Z"
    assert checks["total"] == 30 * 24
    assert len(registry.read(f"/services/{site_id}/health", limit=7)["items"]) == 7
    days = registry.read(f"/services/{site_id}/health/days", limit=200)
    assert days["total"] == 45  # today is not over
    assert [day["day"] for day in days["items"]] == [
        (date(2026, 11, 21) - timedelta(days=number)).isoformat() for number in range(45)
    ]
    oldest = days["items"][-1]
    counts = [oldest[name] for name in ("checks", "healthy", "degraded", "unhealthy", "availability")]
    assert counts == [24, 18, 0, 6, 0.75]
    responses = [oldest[f"response_{name}_ms"] for name in ("min", "median", "max")]
    assert responses == [106, 114.5, 123]


def test_days_come_in_pages(past: tuple[Registry, str]) -> None:
    registry, site_id = past
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = registry.read(f"/services/{site_id}/health/days", limit=20, sort="day", **cursor)
        seen += [day["day"] for day in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert len(seen) == 45
    assert seen == sorted(set(seen))
    forged = registry.get(f"/services/{site_id}/health/days", sort="day", cursor="WyJkYXkiLCAiMSIsICIyIl0=")
    assert forged.status_code == 400
    assert registry.get(f"/services/{uuid4()}/health/days").json()["code"] == "service_not_found"


def test_availability_is_told_of_a_day_a_week_and_a_month(past: tuple[Registry, str]) -> None:
    """From days' rows and single checks together: the same as counting every hour."""
    registry, _ = past
    shares = ask_availability(registry)
    assert shares["Half Up"]["day"] == 1.0
    assert shares["Half Up"]["week"] == pytest.approx(share_of_hours(7))
    assert shares["Half Up"]["month"] == pytest.approx(share_of_hours(30))
    assert [shares["Never Seen"][span] for span in ("day", "week", "month")] == [None] * 3


def share_of_hours(days: int) -> float:
    hours = [NOW - timedelta(hours=number) for number in range(1, days * 24 + 1)]
    down = [hour for hour in hours if hour.hour < 6 and (NOW.date() - hour.date()).days >= 2]
    return 1 - len(down) / len(hours)


def test_a_check_speaks_for_the_time_since_the_last_one(start_registry: StartRegistry) -> None:
    """An hour of outage is an hour, however often somebody looked at it."""
    clock = Clock()
    registry = start_registry(now=clock)
    site_id = registry.store(registry.describe_site(name="Watched"))
    minute = timedelta(minutes=1)
    clock.move(registry, minute, site_id)
    for _ in range(10):
        clock.move(registry, minute * 6, site_id)
    registry.sites.modes[site_id] = "html"
    for _ in range(6):  # asked for out of turn, many times in a minute
        clock.at += minute / 6
        assert registry.check(site_id, ("operator",), force=True).status_code == 200
    clock.move(registry, minute * 6, site_id)
    assert ask_availability(registry)["Watched"]["day"] == pytest.approx(60 / 67)


def test_availability_is_for_our_services_only(past: tuple[Registry, str]) -> None:
    registry, _ = past
    path = "/internal/sites/availability"
    assert registry.http.get(path).status_code == 401
    assert registry.http.get(path, headers=registry.authority.person(["admin"])).status_code == 403
    assert registry.http.get(path, headers=registry.authority.service("x", "files:read")).status_code == 403
