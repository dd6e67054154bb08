"""What people see of the catalogue: filters, pages, refusals, and who may ask."""

from typing import Any
from uuid import uuid4

import pytest

from tests.service_registry.registry import Registry, describe_panel


def find_ids(registry: Registry, path: str, **params: Any) -> set[str]:
    return {item["id"] for item in registry.read(path, **params)["items"]}


def test_services_are_filtered_by_each_of_their_filters(registry: Registry) -> None:
    mark = uuid4().hex
    cape = registry.store(registry.describe_site(name=f"{mark} Cape", country="ZA"))
    mali = registry.store(registry.describe_site(name="100%_node", location=f"Bamako {mark}", country="Mali"))
    wes = registry.store(registry.describe_site(name=f"{mark} WES", api_type="ga4gh", country="ZA"))
    off = registry.store(registry.describe_site(name=f"{mark} off", is_active=False))
    for site in (cape, mali, wes):
        registry.wait_for_check(site)
    assert find_ids(registry, "/services", q=mark) == {cape, mali, wes}
    assert find_ids(registry, "/services", q=mark.upper(), country="za") == {cape, wes}
    assert find_ids(registry, "/services", q=mark, api_type="ga4gh") == {wes}
    assert find_ids(registry, "/services", q=mark, is_available=True) == {cape, mali}
    assert find_ids(registry, "/services", q=mark, is_active=False) == {off}
    assert find_ids(registry, "/services", q="100%_") == {mali}
    assert find_ids(registry, "/services", q="1%node") == set()


def test_a_service_that_is_switched_off_is_still_found_by_its_id(registry: Registry) -> None:
    panel = describe_panel()
    site_id = registry.store(registry.describe_site(is_active=False, panels=[panel]))
    service = registry.read(f"/services/{site_id}")
    assert (service["is_active"], service["is_available"], service["health_status"]) == (False, False, "unknown")
    assert registry.read(f"/panels/{panel['id']}")["is_active"] is False
    assert find_ids(registry, "/panels", service_id=site_id) == set()
    assert find_ids(registry, "/panels", service_id=site_id, is_active=False) == {panel["id"]}


def test_panels_are_filtered_by_each_of_their_filters(registry: Registry) -> None:
    mark = uuid4().hex
    old = describe_panel(name=f"HapMap {mark}", build="hg19", populations=["AFR"])
    new = describe_panel(panel_id=f"apps@{mark}@1.0.0", populations=["afr", "eas"])
    off = describe_panel(name=f"Off {mark}", is_active=False)
    site_id = registry.store(registry.describe_site(panels=[old, new, off]))
    assert find_ids(registry, "/panels", q=mark) == {old["id"], new["id"]}
    assert find_ids(registry, "/panels", q=mark, build="hg19") == {old["id"]}
    assert find_ids(registry, "/panels", q=mark, population="Afr") == {old["id"], new["id"]}
    assert find_ids(registry, "/panels", q=mark, population="eas") == {new["id"]}
    assert find_ids(registry, "/panels", service_id=site_id) == {old["id"], new["id"]}
    assert find_ids(registry, f"/services/{site_id}/panels", build="hg38") == {new["id"]}
    assert find_ids(registry, f"/services/{site_id}/panels", is_active=False) == {off["id"]}
    assert registry.read(f"/services/{site_id}")["panels_count"] == 2


@pytest.mark.parametrize("sort", ["name", "-name", "created_at", "-created_at", "country"])
def test_pages_give_every_service_once_and_in_order(registry: Registry, sort: str) -> None:
    mark = uuid4().hex
    for number in range(7):
        registry.store(registry.describe_site(name=f"{mark} {number % 3}", country="ZA"))
    seen: list[dict[str, Any]] = []
    params: dict[str, Any] = {"q": mark, "sort": sort, "limit": 3}
    while True:
        page = registry.read("/services", **params)
        assert page["total"] == 7
        seen += page["items"]
        if page["next_cursor"] is None:
            break
        params["cursor"] = page["next_cursor"]
    assert len({item["id"] for item in seen}) == len(seen) == 7
    values = [item[sort.removeprefix("-")] for item in seen]
    assert values == sorted(values, reverse=sort.startswith("-"))


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("/services", {"colour": "red"}),
        ("/services", {"api_type": "ftp"}),
        ("/services", {"q": "a\x00"}),
        ("/services", {"country": ""}),
        ("/services", {"sort": "response_time_ms"}),
        ("/services", {"limit": 201}),
        ("/services", {"cursor": "bm9uc2Vuc2U="}),
        ("/services/not-an-id", {}),
        ("/panels", {"build": "hg17"}),
        ("/panels", {"service_id": "mine"}),
        ("/panels", {"population": "\x00"}),
        ("/panels", {"panel": "x"}),
        ("/panels/not-an-id", {}),
    ],
)
def test_input_that_makes_no_sense_is_a_400(registry: Registry, path: str, params: dict[str, Any]) -> None:
    answer = registry.get(path, **params)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["errors"]


@pytest.mark.parametrize("path", ["", "/panels", "/health"])
def test_an_unknown_service_is_a_404_with_its_code(registry: Registry, path: str) -> None:
    answer = registry.get(f"/services/{uuid4()}{path}")
    assert (answer.status_code, answer.json()["code"]) == (404, "service_not_found")


NOBODY = "00000000-0000-4000-8000-000000000000"
PEOPLE_ROUTES = [
    ("GET", "/api/v1/services"),
    ("GET", f"/api/v1/services/{NOBODY}"),
    ("GET", f"/api/v1/services/{NOBODY}/panels"),
    ("GET", f"/api/v1/services/{NOBODY}/health"),
    ("POST", f"/api/v1/services/{NOBODY}/health"),
    ("GET", "/api/v1/panels"),
    ("GET", f"/api/v1/panels/{NOBODY}"),
]
SERVICE_ROUTES = [
    ("GET", f"/internal/sites/{NOBODY}", "catalogue:read"),
    ("POST", f"/internal/sites/{NOBODY}/credential", "credentials:read"),
    ("POST", "/internal/events", "events:write"),
]


@pytest.mark.parametrize(("method", "path"), PEOPLE_ROUTES)
def test_the_catalogue_is_for_people_who_are_logged_in(registry: Registry, method: str, path: str) -> None:
    assert registry.http.request(method, path).status_code == 401
    as_service = registry.authority.service("job_processor")
    assert registry.http.request(method, path, headers=as_service).status_code == 403
    as_person = registry.authority.person()
    assert registry.http.request(method, path, headers=as_person).status_code in (200, 404)


@pytest.mark.parametrize(("method", "path", "scope"), SERVICE_ROUTES)
def test_internal_routes_are_for_services_with_their_scope(
    registry: Registry, method: str, path: str, scope: str
) -> None:
    assert registry.http.request(method, path).status_code == 401
    as_admin = registry.authority.person(["admin"])
    assert registry.http.request(method, path, headers=as_admin).status_code == 403
    others = {"catalogue:read", "credentials:read", "events:write"} - {scope}
    as_other = registry.authority.service("notification", " ".join(others))
    assert registry.http.request(method, path, headers=as_other).status_code == 403
    as_service = registry.authority.service("job_processor", scope)
    assert registry.http.request(method, path, headers=as_service).status_code in (400, 404)
