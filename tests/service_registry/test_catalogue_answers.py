"""The catalogue's answers come from Redis where they can, and are never what was true before a change was told."""

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
import redis

from imputehub.local.children import find_free_port
from tests.service_registry.conftest import StartRegistry
from tests.service_registry.registry import Registry, describe_panel
from tests.service_registry.valkey import running_valkey
from tests.waiting import wait_until

RENAME = "UPDATE imputation_services SET name = :name WHERE id = :id"
NOWHERE = "redis://127.0.0.1:1/0"


@pytest.fixture
def as_person(registry: Registry) -> dict[str, str]:
    """One person's headers: only whose token is known gets answers without the framework."""
    return registry.authority.person()


def name_of(registry: Registry, headers: dict[str, str], site_id: str) -> str:
    answer = registry.http.get(f"/api/v1/services/{site_id}", headers=headers)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["name"])


def test_what_was_read_once_is_kept_until_it_changes(registry: Registry, as_person: dict[str, str]) -> None:
    site_id = registry.store(registry.describe_site(name="First"))
    registry.wait_for_check(site_id)
    assert name_of(registry, as_person, site_id) == "First"
    registry.execute(RENAME, name="Unnoticed", id=site_id)
    assert name_of(registry, as_person, site_id) == "First"  # from Redis: nobody was told
    registry.execute("NOTIFY services_changed")
    wait_until(lambda: name_of(registry, as_person, site_id) == "Unnoticed", "the change is heard of")


def test_a_tag_spares_the_body_until_something_changes(registry: Registry, as_person: dict[str, str]) -> None:
    document = registry.describe_site(panels=[describe_panel()])
    site_id = registry.store(document)
    registry.wait_for_check(site_id)
    for path in ("/services", f"/services/{site_id}", f"/services/{site_id}/panels", "/panels"):
        url = f"/api/v1{path}"
        full = registry.http.get(url, headers=as_person)
        tag = {"If-None-Match": f'"other", W/{full.headers["etag"]}'}
        spared = registry.http.get(url, headers=as_person | tag)
        assert (spared.status_code, spared.content, spared.headers["etag"]) == (304, b"", full.headers["etag"])
        assert spared.headers["x-request-id"]
        registry.store({**document, "name": f"Renamed for {path}"})
        renewed = registry.http.get(url, headers=as_person | tag)
        assert renewed.status_code == 200
        assert renewed.headers["etag"] != full.headers["etag"]
        assert f"Renamed for {path}" in renewed.text


def test_two_processes_show_every_change_as_soon_as_it_was_accepted(
    start_registry: StartRegistry, new_database: Callable[[], str]
) -> None:
    url = new_database()
    first, second = start_registry(url), start_registry(url)
    document = first.describe_site(is_active=False)
    readers = [(registry, registry.authority.person()) for registry in (first, second)]
    for number in range(40):
        first.store({**document, "name": f"Name {number}", "panels": [describe_panel(name=f"Panel {number}")]})
        for registry, headers in readers:
            assert name_of(registry, headers, document["id"]) == f"Name {number}"
            panels = registry.http.get(f"/api/v1/services/{document['id']}/panels?is_active=false", headers=headers)
            assert [panel["name"] for panel in panels.json()["items"]] == [f"Panel {number}"]


def test_a_health_check_that_was_answered_is_seen_in_every_list(registry: Registry, as_person: dict[str, str]) -> None:
    site_id = registry.store(registry.describe_site(name=uuid4().hex))
    registry.wait_for_check(site_id)
    url = f"/api/v1/services?q={registry.read(f'/services/{site_id}')['name']}"
    for mode, status in (("html", "unhealthy"), ("healthy", "healthy"), ("maintenance", "degraded")):
        registry.sites.modes[site_id] = mode  # type: ignore[assignment]
        checked = registry.check(site_id, ("curator",), force=True).json()
        [shown] = registry.http.get(url, headers=as_person).json()["items"]
        assert (shown["health_status"], shown["last_health_check"]) == (status, checked["last_health_check"])


def test_what_is_gone_or_refused_is_told_again_each_time(registry: Registry, as_person: dict[str, str]) -> None:
    document = registry.describe_site()
    url = f"/api/v1/services/{document['id']}"
    assert registry.http.get(url, headers=as_person).status_code == 404
    registry.store(document)
    assert [registry.http.get(url, headers=as_person).status_code for _ in range(3)] == [200] * 3
    registry.delete(document["id"])
    assert [registry.http.get(url, headers=as_person).status_code for _ in range(2)] == [404] * 2
    assert registry.http.get("/api/v1/services?colour=red", headers=as_person).status_code == 400
    assert registry.http.get("/api/v1/services?colour=red", headers=as_person).status_code == 400


def test_a_kept_answer_is_for_nobody_without_a_good_token(registry: Registry, as_person: dict[str, str]) -> None:
    assert [registry.http.get("/api/v1/panels", headers=as_person).status_code for _ in range(3)] == [200] * 3
    service = registry.authority.service("job_processor")
    assert [registry.http.get("/api/v1/panels", headers=service).status_code for _ in range(2)] == [403] * 2
    forged = {"Authorization": as_person["Authorization"] + "x"}
    assert registry.http.get("/api/v1/panels", headers=forged).status_code == 401
    assert registry.http.get("/api/v1/panels").status_code == 401
    assert registry.http.post("/api/v1/panels", headers=as_person).status_code == 405


def test_without_redis_the_database_is_read(start_registry: StartRegistry) -> None:
    registry = start_registry(redis_url=NOWHERE)
    headers = registry.authority.person()
    document = registry.describe_site(is_active=False)
    for number in range(5):
        registry.store({**document, "name": f"Name {number}"})
        assert name_of(registry, headers, document["id"]) == f"Name {number}"
    registry.execute(RENAME, name="Unnoticed", id=document["id"])
    assert name_of(registry, headers, document["id"]) == "Unnoticed"


def test_a_redis_that_has_lost_everything_costs_nothing(
    registry: Registry, as_person: dict[str, str], redis_url: str
) -> None:
    document = registry.describe_site(is_active=False)
    registry.store(document)
    with redis.Redis.from_url(redis_url) as client:
        for number in range(5):
            name_of(registry, as_person, document["id"])
            client.flushall()
            assert name_of(registry, as_person, document["id"]) == document["name"]
            client.flushall()
            document = {**document, "name": f"Name {number}"}
            registry.store(document)
            assert name_of(registry, as_person, document["id"]) == f"Name {number}"


def test_a_redis_that_comes_back_with_old_answers_is_not_believed(
    start_registry: StartRegistry, tmp_path: Path
) -> None:
    port, password = find_free_port(), secrets.token_hex(8)
    with running_valkey(tmp_path, port, password) as url:
        registry = start_registry(redis_url=url)
        headers = registry.authority.person()
        document = registry.describe_site(is_active=False, name="Old")
        registry.store(document)
        assert [name_of(registry, headers, document["id"]) for _ in range(3)] == ["Old"] * 3
    registry.store({**document, "name": "New"})
    with running_valkey(tmp_path, port, password):
        for _ in range(20):
            assert name_of(registry, headers, document["id"]) == "New"
        with redis.Redis.from_url(url) as client:
            wait_until(
                lambda: (
                    name_of(registry, headers, document["id"]) == "New"
                    and any(b'"New"' in (client.get(key) or b"") for key in client.scan_iter("*services/*"))
                ),  # type: ignore[operator]
                "the new answer is kept",
            )


def test_the_hot_answers_are_measured_under_their_routes(registry: Registry, as_person: dict[str, str]) -> None:
    site_id = registry.store(registry.describe_site(is_active=False))

    def count() -> float:
        lines = registry.http.get("/metrics").text.splitlines()
        mine = [line for line in lines if 'route="/api/v1/services/{service_id}"' in line and 'status="200"' in line]
        return sum(float(line.rsplit(" ", 1)[1]) for line in mine if line.startswith("http_requests_total"))

    before = count()
    answers: list[httpx.Response] = [
        registry.http.get(f"/api/v1/services/{site_id}", headers=as_person) for _ in range(5)
    ]
    assert {answer.status_code for answer in answers} == {200}
    assert count() == before + 5


def test_spelling_a_question_otherwise_gives_the_same_answer(registry: Registry, as_person: dict[str, str]) -> None:
    def ask(query: str) -> Any:
        return registry.http.get(f"/api/v1/panels?{query}", headers=as_person).json()

    assert ask("limit=50&build=hg38") == ask("build=hg38&limit=50") == ask("build=hg38")
