"""Health of real (stub) sites: at once when they arrive, each on its own interval, none waiting for another."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest

from tests.service_registry.conftest import StartRegistry
from tests.service_registry.registry import Registry
from tests.waiting import wait_until


def test_a_site_is_probed_at_arrival_and_found_healthy(registry: Registry) -> None:
    site_id = registry.store(registry.describe_site())
    service = registry.wait_for_check(site_id)
    assert (service["health_status"], service["is_available"], service["error_message"]) == ("healthy", True, None)
    assert 0 < service["response_time_ms"] < 5000
    assert service["last_health_check"].endswith("Z")
    assert registry.sites.hits[site_id] == 1


@pytest.mark.parametrize(
    ("mode", "api_type", "finds", "lists"), [("healthy", "michigan", True, True), ("wes", "ga4gh", True, False)]
)
def test_what_can_be_counted_on_at_a_site_is_shown_to_people(
    registry: Registry, mode: Any, api_type: str, finds: bool, lists: bool
) -> None:
    document = registry.describe_site(mode, api_type=api_type)
    site_id = registry.store(document)
    told = registry.wait_for_check(site_id)["capabilities"]
    assert (told["finds_by_mark"], told["lists_panels"]) == (finds, lists)
    registry.sites.modes[document["base_url"].rsplit("/", 1)[1]] = "html"
    registry.check(site_id, ("operator",), force="true")
    service = registry.read(f"/services/{site_id}")
    assert (service["health_status"], service["capabilities"]) == ("unhealthy", told)  # what it was is still known


@pytest.mark.parametrize(
    ("mode", "status", "words"),
    [("maintenance", "degraded", "Back on Monday."), ("html", "unhealthy", "")],
)
def test_a_site_that_takes_no_work_is_not_available_and_says_why(
    registry: Registry, mode: Any, status: str, words: str
) -> None:
    service = registry.wait_for_check(registry.store(registry.describe_site(mode)))
    assert (service["health_status"], service["is_available"]) == (status, False)
    assert service["error_message"]
    assert words in service["error_message"]


@pytest.mark.parametrize(
    "changes",
    [
        {"base_url": "http://127.0.0.1:1"},
        {"base_url": "http://[::1"},
        {"base_url": "gopher://example.org"},
        {"base_url": "http://127.0.0.1:1", "api_config": {}},
        {"api_type": "ga4gh"},
        {"ca_pem": "no certificate"},
    ],
)
def test_a_site_that_cannot_be_reached_is_unhealthy_in_words(registry: Registry, changes: dict[str, Any]) -> None:
    service = registry.wait_for_check(registry.store(registry.describe_site(**changes)))
    assert (service["health_status"], service["is_available"]) == ("unhealthy", False)
    assert len(service["error_message"].split()) > 3


def test_a_new_address_is_probed_at_once_and_a_new_name_is_not(registry: Registry) -> None:
    document = registry.describe_site("html")
    site_id = registry.store(document)
    assert registry.wait_for_check(site_id)["health_status"] == "unhealthy"
    registry.store({**document, "name": "Renamed"})
    registry.store({**document, "base_url": f"{registry.sites_url}/{uuid4()}"})
    wait_until(lambda: registry.read(f"/services/{site_id}")["health_status"] == "healthy", "healthy")
    assert registry.sites.hits[site_id] == 1


def test_a_probe_of_the_former_address_does_not_count(registry: Registry) -> None:
    document = registry.describe_site("hanging", api_config={"allow_private_network": True, "request_timeout_s": 1})
    site_id = registry.store(document)
    wait_until(lambda: registry.sites.open_now[site_id] == 1, "the old address is being probed")
    registry.store({**document, "base_url": f"{registry.sites_url}/{uuid4()}"})
    assert registry.wait_for_check(site_id)["health_status"] == "healthy"
    wait_until(lambda: registry.sites.open_now[site_id] == 0, "the probe of the old address has ended")
    other = registry.store(registry.describe_site("html"))
    registry.wait_for_check(other)
    history = registry.read(f"/services/{site_id}/health")["items"]
    assert [item["health_status"] for item in history] == ["healthy"]


def test_sites_are_probed_all_at_once_and_one_that_hangs_delays_nobody(start_registry: StartRegistry) -> None:
    registry = start_registry()
    registry.sites.meeting_size = 30
    hanging = registry.store(registry.describe_site("hanging"))
    wait_until(lambda: registry.sites.open_now["hanging"] == 1, "the hanging site is being probed")
    meeting = [registry.store(registry.describe_site("meeting")) for _ in range(30)]
    for site_id in meeting:  # each answers only when all thirty are being asked
        assert registry.wait_for_check(site_id)["health_status"] == "healthy"
    assert registry.sites.peak["meeting"] == 30
    assert registry.sites.open_now[hanging] == 1
    assert registry.read(f"/services/{hanging}")["health_status"] == "unknown"


def test_each_site_is_probed_again_on_its_own_interval(registry: Registry) -> None:
    config = {"allow_private_network": True}
    often = registry.store(registry.describe_site(api_config={**config, "health_interval_s": 1}))
    seldom = registry.store(registry.describe_site(api_config=config))
    path = f"/services/{often}/health"
    wait_until(lambda: registry.read(path)["total"] >= 3, "three probes")
    assert registry.sites.hits[seldom] == 1
    history = registry.read(path, limit=2)
    assert len(history["items"]) == 2
    times = [item["checked_at"] for item in history["items"]]
    assert times == sorted(times, reverse=True)
    older = registry.read(path, cursor=history["next_cursor"])["items"]
    assert older[0]["checked_at"] < times[-1]


def test_each_change_of_status_becomes_an_event_and_no_other_probe_does(registry: Registry) -> None:
    document = registry.describe_site(api_config={"allow_private_network": True, "health_interval_s": 1})
    site_id = registry.store(document)
    wait_until(lambda: registry.sites.hits[site_id] >= 2, "two probes")
    registry.sites.modes[site_id] = "maintenance"

    def changes() -> list[dict[str, Any]]:
        return registry.list_events("service.health_changed", site_id)

    wait_until(lambda: len(changes()) >= 2, "the second change is told")
    assert len(changes()) == 2
    told = [(event["data"]["previous"], event["data"]["health_status"]) for event in changes()]
    assert told == [("unknown", "healthy"), ("healthy", "degraded")]
    assert changes()[1]["data"]["message"] == "Back on Monday."
    assert changes()[1]["data"]["name"] == document["name"]


def test_a_recent_result_answers_and_only_operators_and_curators_may_force(registry: Registry) -> None:
    site_id = registry.store(registry.describe_site())
    registry.wait_for_check(site_id)
    known = registry.check(site_id)
    assert (known.status_code, known.json()["cached"], known.json()["health_status"]) == (200, True, "healthy")
    assert registry.check(site_id, force=True).status_code == 403
    assert registry.check(site_id, force="perhaps").status_code == 400
    assert registry.check(site_id, now=True).status_code == 400
    assert registry.sites.hits[site_id] == 1
    for probes, role in enumerate(("operator", "curator", "admin"), start=2):
        forced = registry.check(site_id, (role,), force=True)
        assert (forced.status_code, forced.json()["cached"]) == (200, False)
        assert registry.sites.hits[site_id] == probes


def test_our_services_read_the_health_of_all_sites_at_once(registry: Registry) -> None:
    ill, off = registry.store(registry.describe_site("html")), registry.store(registry.describe_site(is_active=False))
    service = registry.wait_for_check(ill)
    answer = registry.http.get("/internal/sites", headers=registry.authority.service("django", "catalogue:read"))
    healths = {health["id"]: health for health in answer.json()}
    assert healths[ill] == {name: service[name] for name in healths[ill]}
    assert healths[off]["health_status"] == "unknown"
    stranger = registry.authority.service("django", "events:write")
    assert registry.http.get("/internal/sites", headers=stranger).status_code == 403
    assert registry.http.get("/internal/sites", headers=registry.authority.person(["curator"])).status_code == 403


def test_our_services_have_a_site_probed_now(registry: Registry) -> None:
    site_id = registry.store(registry.describe_site())
    registry.wait_for_check(site_id)
    registry.sites.modes[site_id] = "maintenance"
    path, headers = f"/internal/sites/{site_id}/probe", registry.authority.service("django", "catalogue:probe")
    answer = registry.http.post(path, headers=headers)
    assert (answer.status_code, answer.json()["health_status"]) == (200, "degraded")
    assert answer.json()["error_message"] == "Back on Monday."
    assert registry.sites.hits[site_id] == 2
    assert registry.http.post(path, headers=registry.authority.service("job_processor")).status_code == 403
    assert registry.http.post(f"/internal/sites/{uuid4()}/probe", headers=headers).status_code == 404


@pytest.mark.parametrize(("mode", "minutes"), [("healthy", 15), ("html", 1), ("maintenance", 1)])
def test_a_result_is_recent_for_as_long_as_its_status_deserves(registry: Registry, mode: Any, minutes: int) -> None:
    site_id = registry.store(registry.describe_site(mode))
    registry.wait_for_check(site_id)
    age = "UPDATE imputation_services SET last_health_check = now() - make_interval(secs => :s) WHERE id = :id"
    registry.execute(age, s=minutes * 60 - 10, id=site_id)
    assert registry.check(site_id).json()["cached"] is True
    registry.execute(age, s=minutes * 60 + 1, id=site_id)
    assert registry.check(site_id).json()["cached"] is False
    assert registry.sites.hits[site_id] == 2


def test_many_who_ask_at_once_cause_one_probe(registry: Registry) -> None:
    site_id = registry.store(registry.describe_site())
    registry.wait_for_check(site_id)
    age = "UPDATE imputation_services SET last_health_check = now() - make_interval(mins => 16) WHERE id = :id"
    registry.execute(age, id=site_id)
    registry.sites.modes[site_id] = "hanging"
    with ThreadPoolExecutor(12) as pool:
        asked = [pool.submit(registry.check, site_id) for _ in range(12)]
        wait_until(lambda: registry.sites.open_now[site_id] == 1, "the probe is under way")
        assert not any(answer.done() for answer in asked)
        registry.sites.released = True
        statuses = {answer.result().status_code for answer in asked}
    registry.sites.released = False
    assert statuses == {200}
    assert registry.sites.hits[site_id] == 2


def test_a_site_that_is_switched_off_is_not_probed_until_it_is_switched_on(registry: Registry) -> None:
    document = registry.describe_site(is_active=False)
    site_id = registry.store(document)
    refusal = registry.check(site_id, ("operator",), force=True)
    assert (refusal.status_code, refusal.json()["code"]) == (409, "service_inactive")
    assert registry.sites.hits[site_id] == 0
    registry.store({**document, "is_active": True})
    assert registry.wait_for_check(site_id)["health_status"] == "healthy"
    registry.store({**document, "is_active": False})
    service = registry.read(f"/services/{site_id}")
    assert (service["health_status"], service["is_available"]) == ("unknown", False)
