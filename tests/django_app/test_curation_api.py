"""The curation API over real HTTP: who may, what is taken, what is answered."""

import json
import re
from typing import Any
from uuid import uuid4

import httpx
import pytest

from django_app.imputation.models import ImputationService
from django_app.outbox.models import Delivery
from django_app.outbox.relay import Relay
from tests.django_app.catalogue import PANEL, SITE, add_panel, add_site
from tests.django_app.conftest import House

RECIPE = {
    "workflow_url": "https://example.org/impute.cwl",
    "workflow_type": "CWL",
    "workflow_type_version": "v1.2",
    "parameters": {"input": {"class": "File", "location": "{{input.location}}"}, "panel": ["{{ panel.panel_id }}"]},
    "outputs": [{"pattern": "imputed*.vcf.gz*", "kind": "imputed_data"}],
}


def assert_problem(answer: httpx.Response, status: int, code: str, field: str | None = None) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert problem["code"] == code
    assert problem["status"] == status
    assert problem["request_id"] == answer.headers["X-Request-ID"]
    if field:
        assert field in [finding["field"] for finding in problem["errors"]], problem
    return problem


def test_a_site_and_its_panel_are_made_changed_and_deleted(curator: httpx.Client, house: House, relay: Relay) -> None:
    made = curator.post("/services/", json=SITE)
    assert made.status_code == 201, made.text
    site = made.json()
    assert site["sync_state"] == "pending"
    assert site["created_at"].endswith("Z")
    panel = curator.post("/panels/", json={**PANEL, "service": site["id"]}).json()
    assert panel["service"] == site["id"]
    renamed = curator.patch(f"/services/{site['id']}/", json={"name": "Renamed"}).json()
    assert (renamed["name"], renamed["panels_count"], renamed["base_url"]) == ("Renamed", 1, SITE["base_url"])
    relay.deliver_due()
    assert curator.get(f"/services/{site['id']}/").json()["sync_state"] == "in_sync"
    assert curator.delete(f"/panels/{panel['id']}/").status_code == 204
    assert curator.delete(f"/services/{site['id']}/").status_code == 204
    assert_problem(curator.get(f"/services/{site['id']}/"), 404, "not_found")
    relay.deliver_due()
    assert [event["type"] for event in house.registry.received] == ["site.changed", "site.deleted"]


UNKNOWN = "0b0e3c1e-5f3a-4c58-9c36-0a86a41a94c7"
ROUTES = [
    ("GET", "/services/"),
    ("POST", "/services/"),
    ("GET", f"/services/{UNKNOWN}/"),
    ("PATCH", f"/services/{UNKNOWN}/"),
    ("DELETE", f"/services/{UNKNOWN}/"),
    ("POST", f"/services/{UNKNOWN}/push/"),
    ("POST", f"/services/{UNKNOWN}/test-connection/"),
    ("POST", f"/services/{UNKNOWN}/sync-panels/"),
    ("GET", "/panels/"),
    ("POST", "/panels/"),
    ("GET", f"/panels/{UNKNOWN}/"),
    ("PATCH", f"/panels/{UNKNOWN}/"),
    ("DELETE", f"/panels/{UNKNOWN}/"),
    ("GET", "/sync-status/"),
    ("GET", "/drift/"),
    ("POST", "/repair/"),
]


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_only_curators_and_administrators_may(house: House, method: str, path: str) -> None:
    url = f"{house.url}/api/v1/curation{path}"
    anonymous = httpx.request(method, url)
    assert_problem(anonymous, 401, "unauthenticated")
    assert anonymous.headers["WWW-Authenticate"] == "Bearer"
    assert_problem(httpx.request(method, url, headers={"Authorization": "Bearer nonsense"}), 401, "unauthenticated")
    for headers in (house.authority.person(["researcher", "operator"]), house.authority.service("monitoring")):
        assert_problem(httpx.request(method, url, headers=headers), 403, "forbidden")
    for role in ("curator", "admin"):
        assert httpx.request(method, url, headers=house.authority.person([role])).status_code not in (401, 403)


def test_every_route_of_the_curation_api_is_guarded_by_default(house: House) -> None:
    paths = httpx.get(f"{house.url}/openapi.json").json()["paths"]
    described = {
        (method.upper(), path.removeprefix("/api/v1/curation").replace("{id}", "*"))
        for path, methods in paths.items()
        for method in methods
    }
    tested = {(method, re.sub("[0-9a-f-]{36}", "*", path)) for method, path in ROUTES}
    assert described == tested


def test_a_credential_is_taken_and_never_given(curator: httpx.Client, house: House, relay: Relay) -> None:
    secret = "token-that-nobody-may-see"
    answers = [curator.post("/services/", json={**SITE, "credential": secret})]
    site = answers[0].json()
    assert site["credential_set_at"]
    answers += [
        curator.get(f"/services/{site['id']}/"),
        curator.patch(f"/services/{site['id']}/", json={"name": "New"}),
    ]
    answers += [curator.get("/services/"), curator.post(f"/services/{site['id']}/push/"), curator.get("/sync-status/")]
    answers += [curator.patch(f"/services/{site['id']}/", json={"credential": f"{secret}\n", "name": ""})]
    for answer in answers:
        assert secret not in answer.text
        assert "credential" not in answer.json()
    relay.deliver_due()
    assert house.registry.received[0]["data"]["credential"] == secret
    assert curator.patch(f"/services/{site['id']}/", json={"credential": None}).json()["credential_set_at"] is None
    relay.deliver_due()
    assert house.registry.received[-1]["data"]["credential"] is None


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"api_type": "soap"}, "api_type"),
        ({"base_url": "imputation.example.org"}, "base_url"),
        ({"base_url": "ftp://imputation.example.org"}, "base_url"),
        ({"base_url": "https://user:pw@imputation.example.org"}, "base_url"),
        ({"base_url": "https://imputation.example.org/?a=b"}, "base_url"),
        ({"base_url": "http://[::1"}, "base_url"),
        ({"base_url": "https://x y"}, "base_url"),
        ({"base_url": "https://a..b"}, "base_url"),
        ({"base_url": "https://" + "a" * 64 + ".org"}, "base_url"),
        ({"country": "South Africa"}, "country"),
        ({"country": "0.0"}, "country"),
        ({"name": ""}, "name"),
        ({"name": "a\x00b"}, "name"),
        ({"name": "\ud800"}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"api_config": {"poll_first_s": -1}}, "api_config"),
        ({"api_config": {"no_such_setting": 1}}, "api_config"),
        ({"api_config": [1]}, "api_config"),
        ({"api_config": {"app": "a\x00"}}, "api_config"),
        ({"ca_pem": "no certificate"}, "ca_pem"),
        ({"credential": "two\nlines"}, "credential"),
        ({"min_samples": 50, "max_samples": 20}, "min_samples"),
        ({"max_file_size_mb": 10**12}, "max_file_size_mb"),
        ({"supported_formats": ["vcf.gz", "VCF.GZ"]}, "supported_formats"),
        ({"supported_formats": "vcf.gz"}, "supported_formats"),
        ({"is_available": True}, "is_available"),
    ],
)
def test_a_wrong_site_is_refused_with_the_field_that_is_wrong(
    curator: httpx.Client, change: dict[str, Any], field: str
) -> None:
    answer = curator.post(
        "/services/", content=json.dumps({**SITE, **change}), headers={"Content-Type": "application/json"}
    )
    assert_problem(answer, 400, "invalid_input", field)
    assert not ImputationService.objects.exists()
    assert not Delivery.objects.exists()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"build": "hg17"}, "build"),
        ({"panel_id": ""}, "panel_id"),
        ({"populations": "AFR"}, "populations"),
        ({"populations": ["AFR", "afr"]}, "populations"),
        ({"populations": [""]}, "populations.0"),
        ({"samples_count": -1}, "samples_count"),
        ({"variants_count": 10**30}, "variants_count"),
        ({"service": str(uuid4())}, "service"),
        ({"service": "x"}, "service"),
        ({"recipe": RECIPE}, "recipe"),
    ],
)
def test_a_wrong_panel_is_refused_with_the_field_that_is_wrong(
    curator: httpx.Client, change: dict[str, Any], field: str
) -> None:
    answer = curator.post("/panels/", json={**PANEL, "service": str(add_site().pk), **change})
    assert_problem(answer, 400, "invalid_input")
    assert field in str(answer.json()["errors"])


def test_a_panel_id_is_there_once_per_site(curator: httpx.Client) -> None:
    first, second = add_site(), add_site(name="Second")
    add_panel(first)
    answer = curator.post("/panels/", json={**PANEL, "service": str(first.pk)})
    assert "has a panel with this panel_id already" in assert_problem(answer, 400, "invalid_input")["detail"]
    assert curator.post("/panels/", json={**PANEL, "service": str(second.pk)}).status_code == 201


def test_a_panel_cannot_be_moved(curator: httpx.Client) -> None:
    panel, other = add_panel(add_site()), add_site(name="Other")
    assert_problem(
        curator.patch(f"/panels/{panel.pk}/", json={"service": str(other.pk)}), 400, "invalid_input", "service"
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, None),
        ({"parameters": {"x": "{{input.loc}}"}}, "not known"),
        ({"parameters": {"x": "{{input.location"}}, "other half"),
        ({"parameters": {"x": ["{{}}"]}}, "not known"),
        ({"workflow_url": None}, "workflow_url"),
        ({"outputs": [{"pattern": "*", "kind": "anything"}]}, "outputs.0.kind"),
        ({"parameters": {"x": "\x00"}}, "cannot be stored"),
        ({"more": 1}, "more"),
    ],
)
def test_a_recipe_is_checked_at_curation(curator: httpx.Client, change: dict[str, Any], words: str | None) -> None:
    site = add_site(api_type="ga4gh")
    answer = curator.post("/panels/", json={**PANEL, "service": str(site.pk), "recipe": {**RECIPE, **change}})
    if words is None:
        assert answer.status_code == 201, answer.text
    else:
        assert words in assert_problem(answer, 400, "invalid_input", "recipe")["detail"]


@pytest.mark.parametrize(
    ("content", "content_type", "status"),
    [
        (b"{", "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b"[" * 200_000, "application/json", 400),
        (b"[1]", "application/json", 400),
        (b'{"name": NaN}', "application/json", 400),
        (b'{"api_config": {"poll_first_s": 1e999}}', "application/json", 400),
        (b"", "application/json", 400),
        (b"name=x", "application/x-www-form-urlencoded", 415),
        (b"{}", "nonsense", 415),
        (b'"' + b"x" * 3_000_000 + b'"', "application/json", 413),
    ],
)
def test_a_body_that_cannot_be_read_is_the_clients_fault(
    curator: httpx.Client, content: bytes, content_type: str, status: int
) -> None:
    answer = curator.post("/services/", content=content, headers={"Content-Type": content_type})
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


def test_the_same_key_gives_the_same_answer_and_one_site(curator: httpx.Client, house: House) -> None:
    key = {"Idempotency-Key": "creation-1"}
    first = curator.post("/services/", json=SITE, headers=key)
    again = curator.post("/services/", json=dict(reversed(SITE.items())), headers=key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert_problem(curator.post("/services/", json={**SITE, "name": "B"}, headers=key), 409, "idempotency_conflict")
    other = {**house.authority.person(["curator"]), **key}
    assert httpx.post(f"{curator.base_url}services/", json=SITE, headers=other).status_code == 201
    assert ImputationService.objects.count() == 2


def test_a_refused_creation_may_be_tried_again_with_its_key(curator: httpx.Client) -> None:
    key = {"Idempotency-Key": "creation-1"}
    assert curator.post("/services/", json={**SITE, "name": ""}, headers=key).status_code == 400
    assert curator.post("/services/", json=SITE, headers=key).status_code == 201


def test_what_is_not_there_is_a_problem_document(curator: httpx.Client, house: House) -> None:
    assert_problem(curator.get("/services/not-a-uuid/"), 404, "not_found")
    assert_problem(httpx.get(f"{house.url}/api/v1/nothing"), 404, "not_found")
    assert_problem(curator.put(f"/services/{add_site().pk}/", json=SITE), 405, "method_not_allowed")
    assert_problem(curator.get("/services/", headers={"Host": "evil.example.org"}), 400, "invalid_input")
