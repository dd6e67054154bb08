"""A service of ours that goes down and comes back: who is told, and what is remembered of it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import httpx
import pytest

from microservices.kernel.testing import TokenAuthority, serve_app
from microservices.monitoring.main import build
from microservices.monitoring.settings import Settings
from tests.monitoring.mortal_service import MortalService, Notification
from tests.monitoring.test_monitoring import read_service, wait_for

MakeSettings = Callable[..., Settings]


@pytest.fixture
def mortal() -> Iterator[MortalService]:
    """It is file_manager, and lives."""
    service = MortalService()
    service.start()
    yield service
    service.die()


@pytest.fixture
def notification() -> Notification:
    return Notification()


@pytest.fixture
def notification_url(notification: Notification) -> Iterator[str]:
    with serve_app(notification.app) as url:
        yield url


@pytest.fixture
def settings(make_settings: MakeSettings, mortal: MortalService, notification_url: str) -> Settings:
    return make_settings(file_manager_url=mortal.url, notification_url=notification_url, probe_interval_s=0.5)


@contextmanager
def watching(settings: Settings, authority: TokenAuthority) -> Iterator[httpx.Client]:
    headers = authority.person(["operator"])
    with serve_app(build(settings)) as url, httpx.Client(base_url=url, headers=headers) as http:
        yield http


@pytest.fixture
def watch(settings: Settings, authority: TokenAuthority) -> Iterator[httpx.Client]:
    with watching(settings, authority) as http:
        read_service(http, "file_manager", up=True)
        yield http


def list_incidents(http: httpx.Client, service: str = "file_manager") -> list[dict[str, Any]]:
    incidents = http.get("/api/v1/monitoring/overview").json()["incidents"]
    return [incident for incident in incidents if incident["service"] == service]


def test_a_killed_service_is_told_down_and_back_and_remembered(
    watch: httpx.Client, mortal: MortalService, notification: Notification
) -> None:
    mortal.die()
    wait_for(lambda: notification.list_changes("file_manager"))
    (open_incident,) = list_incidents(watch)
    assert (open_incident["kind"], open_incident["ended_at"], open_incident["duration_s"]) == ("down", None, None)
    assert open_incident["message"] == f"nothing answers at 127.0.0.1:{mortal.port}"
    mortal.replace()
    mortal.start()
    down, up = wait_for(lambda: len(found := notification.list_changes("file_manager")) == 2 and found)
    assert (down["state"], down["previous"], down["restarted"]) == ("down", "ready", False)
    assert (up["state"], up["previous"], up["restarted"]) == ("ready", "down", True)
    (incident,) = list_incidents(watch)
    assert incident["began_at"] == open_incident["began_at"] < incident["ended_at"]
    assert incident["duration_s"] > 0
    read_service(watch, "file_manager", up=True)
    assert [found["kind"] for found in list_incidents(watch)] == ["down"]


def test_a_killed_service_is_seen_down_before_the_next_measurement(
    make_settings: MakeSettings, mortal: MortalService, notification_url: str, authority: TokenAuthority
) -> None:
    settings = make_settings(
        file_manager_url=mortal.url, notification_url=notification_url, probe_interval_s=600, life_interval_s=0.2
    )
    with watching(settings, authority) as http:
        read_service(http, "file_manager", up=True)
        mortal.die()
        read_service(http, "file_manager", state="down")
        mortal.start()
        read_service(http, "file_manager", up=True)


def test_a_service_that_came_back_between_two_looks_is_known_by_its_new_process(
    watch: httpx.Client, mortal: MortalService, notification: Notification
) -> None:
    mortal.replace()
    (change,) = wait_for(lambda: notification.list_changes("file_manager"))
    assert (change["state"], change["previous"], change["restarted"]) == ("ready", "ready", True)
    (incident,) = list_incidents(watch)
    assert (incident["kind"], incident["duration_s"]) == ("restarted", 0)
    began = datetime.fromisoformat(incident["began_at"]).timestamp()
    assert began == pytest.approx(mortal.started, abs=0.01)


def test_a_service_that_answers_and_cannot_work_is_an_incident_too(
    watch: httpx.Client, mortal: MortalService, notification: Notification
) -> None:
    mortal.ready = False
    wait_for(lambda: list_incidents(watch))
    mortal.ready = True
    wait_for(lambda: len(notification.list_changes("file_manager")) == 2)
    (incident,) = list_incidents(watch)
    assert (incident["kind"], incident["message"]) == ("unready", "database: down")
    assert incident["ended_at"] is not None


def test_figures_are_told_after_each_measurement_to_operators_only(
    watch: httpx.Client, notification: Notification
) -> None:
    wait_for(lambda: len(notification.figures) >= 2)
    figures = notification.figures[-1]
    assert (figures["type"], figures["audience"]) == ("platform.measured", "operator")
    overview = watch.get("/api/v1/monitoring/overview").json()
    assert figures["data"].keys() == overview.keys() - {"sites"}
    assert figures["data"]["services_total"] == 8
    assert "platform.measured" not in {event["type"] for event in notification.events}
    assert all(caller.startswith("Bearer ") for caller in notification.callers)


def test_a_platform_that_starts_has_no_incidents(
    make_settings: MakeSettings, mortal: MortalService, notification_url: str, authority: TokenAuthority
) -> None:
    mortal.die()
    settings = make_settings(file_manager_url=mortal.url, notification_url=notification_url)
    with watching(settings, authority) as http:
        read_service(http, "file_manager", state="down")
        mortal.start()
        read_service(http, "file_manager", up=True)
        assert list_incidents(http) == []


def test_what_never_comes_up_is_an_incident_once_the_start_is_over(
    make_settings: MakeSettings, authority: TokenAuthority
) -> None:
    with watching(make_settings(start_patience_s=0.3), authority) as http:
        assert wait_for(lambda: list_incidents(http, "django"))[0]["ended_at"] is None


def test_a_watch_that_comes_back_goes_on_where_it_was(
    settings: Settings, mortal: MortalService, notification: Notification, authority: TokenAuthority
) -> None:
    with watching(settings, authority) as http:
        read_service(http, "file_manager", up=True)
        mortal.die()
        wait_for(lambda: list_incidents(http))
    mortal.start()
    with watching(settings, authority) as http:
        wait_for(lambda: list_incidents(http)[0]["ended_at"])
        assert len(list_incidents(http)) == 1
    assert [change["state"] for change in notification.list_changes("file_manager")] == ["down", "ready"]
