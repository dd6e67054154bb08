"""Two who change the same site or panel over the API: nobody overwrites what they have not seen."""

import threading

import httpx
import pytest

from django_app.imputation.models import ImputationService, ReferencePanel
from django_app.outbox.relay import Relay
from tests.django_app.catalogue import SITE, add_panel, add_site
from tests.django_app.test_curation_api import assert_problem


def test_a_change_of_the_state_that_was_seen_is_taken_and_tells_the_new_one(curator: httpx.Client) -> None:
    made = curator.post("/services/", json=SITE)
    path = f"/services/{made.json()['id']}/"
    seen = curator.get(path).headers["ETag"]
    changed = curator.patch(path, json={"name": "First"}, headers={"If-Match": seen})
    assert changed.status_code == 200
    again = curator.patch(path, json={"name": "Second"}, headers={"If-Match": changed.headers["ETag"]})
    assert again.status_code == 200
    assert curator.get(path).headers["ETag"] == again.headers["ETag"] != seen


def test_a_change_of_an_older_state_is_refused_and_told_what_is_new(curator: httpx.Client) -> None:
    site = add_site()
    path = f"/services/{site.pk}/"
    seen = {"If-Match": curator.get(path).headers["ETag"]}
    curator.patch(path, json={"country": "ML"})
    refused = curator.patch(path, json={"name": "Late"}, headers=seen)
    problem = assert_problem(refused, 412, "precondition_failed")
    assert f"{SITE['name']} (country)" in problem["detail"]
    assert refused.headers["ETag"] == curator.get(path).headers["ETag"]
    assert_problem(curator.delete(path, headers=seen), 412, "precondition_failed")
    assert ImputationService.objects.get().name == SITE["name"]
    assert curator.delete(path, headers={"If-Match": refused.headers["ETag"]}).status_code == 204


def test_a_panel_of_a_site_is_part_of_what_was_seen_of_it(curator: httpx.Client) -> None:
    site = add_site()
    panel = add_panel(site)
    path = f"/services/{site.pk}/"
    seen = {"If-Match": curator.get(path).headers["ETag"]}
    own = {"If-Match": curator.get(f"/panels/{panel.pk}/").headers["ETag"]}
    curator.patch(path, json={"country": "ML"})
    assert curator.patch(f"/panels/{panel.pk}/", json={"name": "New"}, headers=own).status_code == 200
    assert_problem(curator.patch(f"/panels/{panel.pk}/", json={"name": "X"}, headers=own), 412, "precondition_failed")
    problem = assert_problem(curator.delete(path, headers=seen), 412, "precondition_failed")
    assert "New (name)" in problem["detail"]
    assert ReferencePanel.objects.get().name == "New"


def test_pushes_and_deliveries_change_no_state(curator: httpx.Client, relay: Relay) -> None:
    site = add_site()
    path = f"/services/{site.pk}/"
    seen = curator.get(path).headers["ETag"]
    curator.post(f"{path}push/")
    relay.deliver_due()
    assert curator.get(path).headers["ETag"] == seen


@pytest.mark.parametrize(
    ("given", "status"),
    [("*", 200), ('"1-0", "0-0"', 412), ('W/"0-0"', 412), ("nonsense", 400), ('"\x01-9999999999999999999999"', 400)],
)
def test_what_if_match_may_say(curator: httpx.Client, given: str, status: int) -> None:
    site = add_site()
    answer = curator.patch(f"/services/{site.pk}/", json={"country": "ML"}, headers={"If-Match": given})
    assert answer.status_code == status, answer.text
    assert curator.patch(f"/services/{site.pk}/", json={"country": "ML"}).status_code == 200


def test_of_many_at_once_who_saw_the_same_state_one_wins(curator: httpx.Client) -> None:
    site = add_site()
    path = f"/services/{site.pk}/"
    headers = {"If-Match": curator.get(path).headers["ETag"]}
    statuses: list[int] = []

    def change(number: int) -> None:
        statuses.append(curator.patch(path, json={"name": f"Name {number}"}, headers=headers).status_code)

    threads = [threading.Thread(target=change, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert sorted(statuses) == [200, 412, 412, 412]


def test_the_merged_documents_can_tell_of_it(house: object, curator: httpx.Client) -> None:
    paths = httpx.get(str(curator.base_url).replace("/api/v1/curation/", "/openapi.json")).json()["paths"]
    for kind in ("services", "panels"):
        operations = paths[f"/api/v1/curation/{kind}/{{id}}/"]
        for method in ("patch", "delete"):
            assert "If-Match" in {parameter["name"] for parameter in operations[method]["parameters"]}
            assert "412" in operations[method]["responses"]
        assert "ETag" in operations["get"]["responses"]["200"]["headers"]
