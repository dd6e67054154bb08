"""The panels of a site and of our catalogue, compared and brought into step through the API."""

import httpx
import pytest

from django_app.imputation.models import ImputationService
from tests.django_app.catalogue import add_local_site
from tests.django_app.stub_site import GOOD_TOKEN, StubSite
from tests.django_app.test_panel_sync import G1000, H3AFRICA, MYSTERY


def test_the_api_shows_a_diff_and_applies_it(curator: httpx.Client, stored: ImputationService, site: StubSite) -> None:
    path = f"/services/{stored.pk}/sync-panels/"
    dry = curator.post(path, params={"dry_run": "true"})
    assert dry.status_code == 200, dry.text
    diff = dry.json()
    assert [(one["kind"], one["panel_id"], one["proposed"]) for one in diff["differences"]] == [
        ("added", G1000, True),
        ("added", H3AFRICA, True),
        ("added", MYSTERY, False),
    ]
    assert (diff["applied"], diff["unchanged"]) == ([], 0)
    assert not stored.panels.exists()
    done = curator.post(path, json={"fingerprint": diff["fingerprint"]})
    assert done.status_code == 200, done.text
    assert len(done.json()["applied"]) == 2
    again = curator.post(path, params={"dry_run": "true"}).json()
    body = {"accept": [again["differences"][0]["key"]], "builds": {MYSTERY: "hg38"}}
    assert curator.post(path, json=body).json()["applied"] == [f"{stored.pk}/{MYSTERY}/added"]
    assert curator.post(path).json()["differences"] == []
    assert stored.panels.count() == 3


def test_the_api_refuses_what_is_no_longer_so(curator: httpx.Client, stored: ImputationService, site: StubSite) -> None:
    path = f"/services/{stored.pk}/sync-panels/"
    diff = curator.post(path, params={"dry_run": "true"}).json()
    del site.panels[G1000]
    answer = curator.post(path, json={"fingerprint": diff["fingerprint"]})
    assert (answer.status_code, answer.json()["code"]) == (409, "panels_changed")
    assert not stored.panels.exists()


@pytest.mark.parametrize(
    ("changes", "status", "code", "whose"),
    [
        ({"api_type": "ga4gh"}, 409, "no_panel_list", "platform"),
        ({"base_url": "http://127.0.0.1:1"}, 502, "connect_failed", "site"),
        ({"base_url": "https://127.0.0.1:1", "api_config": {}}, 409, "address_private", "platform"),
        ({"api_config": {"poll_first_s": -1}}, 409, "api_config_invalid", "platform"),
        ({"token": "token-of-yesterday"}, 409, "credential_refused", "input"),
    ],
)
def test_the_api_says_whose_fault_it_is(
    curator: httpx.Client, site: StubSite, changes: dict[str, object], status: int, code: str, whose: str
) -> None:
    token = str(changes.pop("token", GOOD_TOKEN))
    stored = add_local_site(str(changes.pop("base_url", site.url)), **{"credential": token, **changes})  # type: ignore[arg-type]
    answer = curator.post(f"/services/{stored.pk}/sync-panels/")
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert (answer.status_code, problem["code"], problem["whose"]) == (status, code, whose), problem
    assert token not in answer.text


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"accept": "everything"}, "accept"),
        ({"builds": {"x": "hg17"}}, "builds.x"),
        ({"fingerprint": 5}, "fingerprint"),
        ({"surprise": 1}, "surprise"),
        ([], "body"),
    ],
)
def test_the_api_refuses_a_body_that_it_does_not_know(
    curator: httpx.Client, stored: ImputationService, body: object, field: str
) -> None:
    answer = curator.post(f"/services/{stored.pk}/sync-panels/", json=body)
    assert answer.status_code == 400, answer.text
    assert answer.json()["errors"][0]["field"] == field


def test_an_unknown_query_or_site_is_refused(curator: httpx.Client, stored: ImputationService) -> None:
    path = f"/services/{stored.pk}/sync-panels/"
    assert curator.post(path, params={"dry_run": "maybe"}).status_code == 400
    assert curator.post("/services/4b0e0f5e-0000-4000-8000-000000000000/sync-panels/").status_code == 404
