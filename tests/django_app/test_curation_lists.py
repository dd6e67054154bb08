"""What the curation API lists, and how far the registry is with it."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

from django_app.outbox.relay import Relay
from tests.django_app.catalogue import add_panel, add_site
from tests.django_app.registry import StubRegistry
from tests.django_app.test_curation_api import assert_problem


def test_lists_are_narrowed_and_ordered(curator: httpx.Client, relay: Relay) -> None:
    site = add_site(name="Told")
    add_panel(site, panel_id="b", name="First")
    add_panel(site, panel_id="a", name="Second", withdrawn_at="2026-11-01T00:00:00Z")
    relay.deliver_due()
    add_site(name="Fresh", service_type="other")
    for query, names in (
        ({"sync_state": "in_sync"}, ["Told"]),
        ({"service_type": "other"}, ["Fresh"]),
        ({"sort": "-updated_at"}, ["Fresh", "Told"]),
    ):
        assert [item["name"] for item in curator.get("/services/", params=query).json()["items"]] == names
    for query, names in (
        ({"sort": "panel_id"}, ["Second", "First"]),
        ({"withdrawn": "true"}, ["Second"]),
        ({"withdrawn": "false"}, ["First"]),
    ):
        assert [item["name"] for item in curator.get("/panels/", params=query).json()["items"]] == names
    [panel] = curator.get("/panels/", params={"withdrawn": "true"}).json()["items"]
    assert panel["withdrawn_at"] == "2026-11-01T00:00:00Z"
    refused = curator.patch(f"/panels/{panel['id']}/", json={"withdrawn_at": None})
    assert refused.json()["withdrawn_at"] == "2026-11-01T00:00:00Z"  # told by the site, not by its curator


def test_lists_are_walked_page_by_page(curator: httpx.Client) -> None:
    for number in range(5):
        add_site(name=f"Site {number}", country="ZA" if number % 2 else "ML")
    seen, cursor = [], None
    while True:
        query: dict[str, Any] = {"limit": 2, "sort": "name"} | ({"cursor": cursor} if cursor else {})
        page = curator.get("/services/", params=query).json()
        assert page["total"] == 5
        seen += [item["name"] for item in page["items"]]
        if (cursor := page["next_cursor"]) is None:
            break
    assert seen == [f"Site {number}" for number in range(5)]
    newest = curator.get("/services/", params={"limit": 3}).json()
    assert [item["name"] for item in newest["items"]] == ["Site 4", "Site 3", "Site 2"]
    older = curator.get("/services/", params={"cursor": newest["next_cursor"]}).json()
    assert [item["name"] for item in older["items"]] == ["Site 1", "Site 0"]
    assert curator.get("/services/", params={"country": "ml", "q": "site 2"}).json()["total"] == 1


@pytest.mark.parametrize(
    "query",
    [
        {"limit": "0"},
        {"limit": "201"},
        {"limit": "x"},
        {"cursor": "x"},
        {"cursor": "WzFd"},
        {"sort": "credential"},
        {"colour": "red"},
        {"api_type": "soap"},
        {"q": "\x00"},
        {"country": "\x00"},
    ],
)
def test_a_wrong_query_is_a_400(curator: httpx.Client, query: dict[str, str]) -> None:
    assert_problem(curator.get("/services/", params=query), 400, "invalid_input")


def test_panels_are_found_by_site_build_and_population(curator: httpx.Client) -> None:
    site = add_site()
    add_panel(site)
    add_panel(site, panel_id="other", build="hg38", populations=["EAS"])
    assert curator.get("/panels/", params={"population": "eas"}).json()["items"][0]["panel_id"] == "other"
    assert curator.get("/panels/", params={"build": "hg19", "service": str(site.pk)}).json()["total"] == 1
    assert curator.get("/panels/", params={"service": str(uuid4())}).json()["total"] == 0


def test_the_sync_status_tells_what_the_registry_knows(
    curator: httpx.Client, registry: StubRegistry, relay: Relay
) -> None:
    told, refused, gone = add_site(name="Told"), add_site(name="Refused"), add_site(name="Gone")
    registry.refusals[refused.subject] = 422
    relay.deliver_due()
    gone.delete()
    found = {item["name"]: item for item in curator.get("/sync-status/").json()["items"]}
    assert {name: item["state"] for name, item in found.items()} == {
        "Told": "in_sync",
        "Refused": "failed",
        None: "pending",
    }
    assert found["Told"]["service_id"] == str(told.pk)
    assert found["Told"]["delivered_at"]
    assert found["Refused"]["error"].startswith("422")
    assert found["Refused"]["parked"] is True
    assert curator.get("/sync-status/", params={"state": "failed"}).json()["total"] == 1
    relay.deliver_due()
    assert curator.get("/sync-status/").json()["total"] == 2


def test_a_push_tells_the_registry_again_what_it_refused(
    curator: httpx.Client, registry: StubRegistry, relay: Relay
) -> None:
    site = add_site()
    registry.refusals[site.subject] = 422
    relay.deliver_due()
    registry.refusals.clear()
    pushed = curator.post(f"/services/{site.pk}/push/")
    assert pushed.status_code == 202
    assert pushed.json()["service_id"] == str(site.pk)
    assert relay.deliver_due() == 1
    assert_problem(curator.post(f"/services/{uuid4()}/push/"), 404, "not_found")
