"""GA4GH Service Registry 1.0.0: the shapes of its specification, what is told of each site, and to whom."""

from datetime import datetime
from typing import Any
from uuid import uuid4

import jsonschema
import pytest

from tests.service_registry.conftest import StartRegistry
from tests.service_registry.registry import Registry, describe_panel
from tests.waiting import wait_until

BASE = "/ga4gh/service-registry/v1"
TEXT = {"type": "string", "minLength": 1}
MOMENT = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$"}
ADDRESS = {"type": "string", "pattern": r"^https?://[^/]"}
# service-info.yaml 1.0.0, components/schemas, and service-registry.yaml 1.0.0
SERVICE_TYPE: dict[str, Any] = {
    "type": "object",
    "required": ["group", "artifact", "version"],
    "properties": {"group": TEXT, "artifact": TEXT, "version": TEXT},
}
SERVICE: dict[str, Any] = {
    "type": "object",
    "required": ["id", "name", "type", "organization", "version"],
    "properties": {
        "id": TEXT,
        "name": TEXT,
        "type": SERVICE_TYPE,
        "description": TEXT,
        "version": TEXT,
        "environment": TEXT,
        "organization": {
            "type": "object",
            "required": ["name", "url"],
            "properties": {"name": TEXT, "url": ADDRESS},
        },
        "contactUrl": ADDRESS,
        "documentationUrl": ADDRESS,
        "createdAt": MOMENT,
        "updatedAt": MOMENT,
    },
}
EXTERNAL_SERVICE = {"allOf": [SERVICE, {"type": "object", "required": ["url"], "properties": {"url": ADDRESS}}]}
ERROR = {
    "type": "object",
    "required": ["status", "title"],
    "properties": {"status": {"type": "integer"}, "title": TEXT, "detail": TEXT},
}


@pytest.fixture
def local(start_registry: StartRegistry) -> Registry:
    """A registry of a platform on one machine, where sites on internal addresses are shown."""
    return start_registry(environment="local", public_url="https://impute.example.org")


def read(registry: Registry, path: str, schema: dict[str, Any]) -> Any:
    """As a stranger."""
    answer = registry.http.get(BASE + path)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    jsonschema.validate(answer.json(), schema)
    return answer.json()


def test_the_registry_describes_itself(local: Registry) -> None:
    info = read(local, "/service-info", SERVICE)
    assert info["type"] == {"group": "org.ga4gh", "artifact": "service-registry", "version": "1.0.0"}
    assert info["id"] == "org.example.impute.imputehub.service-registry"
    assert info["organization"]["url"] == "https://impute.example.org"


@pytest.mark.parametrize("public_url", ["http://127.0.0.1:8000", "http://[::1]:8000", "http://localhost:8000"])
def test_a_registry_without_a_name_of_its_own_describes_itself_too(
    start_registry: StartRegistry, public_url: str
) -> None:
    info = read(start_registry(public_url=public_url), "/service-info", SERVICE)
    assert info["id"].endswith("imputehub.service-registry")
    assert info["environment"] == "prod"


def test_sites_are_listed_with_their_types_and_places(local: Registry) -> None:
    michigan = local.describe_site(name="Michigan", panels=[describe_panel()], location="Example University")
    wes = local.describe_site("wes", name="Node", api_type="ga4gh", location="")
    for document in (michigan, wes):
        local.store(document)
        local.wait_for_check(document["id"])
    first, second = read(local, "/services", {"type": "array", "items": EXTERNAL_SERVICE})
    assert (first["id"], first["url"]) == (michigan["id"], michigan["base_url"])
    assert first["organization"] == {"name": "Example University", "url": local.sites_url}
    assert first["type"]["group"] != "org.ga4gh"  # not an interface of GA4GH's
    assert second["type"] == {"group": "org.ga4gh", "artifact": "wes", "version": "1.1.0"}
    assert second["version"] == "2.3.4"  # as the site says
    assert second["organization"]["name"] == "Node"
    assert datetime.fromisoformat(second["createdAt"]) <= datetime.fromisoformat(second["updatedAt"])
    types = read(local, "/services/types", {"type": "array", "items": SERVICE_TYPE, "uniqueItems": True})
    assert types == [first["type"], second["type"]]
    assert read(local, f"/services/{wes['id']}", EXTERNAL_SERVICE) == second


def test_the_list_follows_the_catalogue(local: Registry) -> None:
    document = local.describe_site()
    local.store(document)
    assert [service["id"] for service in read(local, "/services", {})] == [document["id"]]
    local.store({**document, "name": "Renamed"})
    assert [service["name"] for service in read(local, "/services", {})] == ["Renamed"]
    local.store({**document, "is_active": False})
    assert read(local, "/services", {}) == []
    assert read(local, "/services/types", {}) == []
    assert local.http.get(f"{BASE}/services/{document['id']}").status_code == 404


def test_nothing_is_told_that_is_not_for_everybody(local: Registry) -> None:
    config = {"allow_private_network": True, "output_root": "/inside", "token_url": "https://inside.example.org"}
    secret = "a-secret-token-of-the-curator"
    document = local.describe_site(api_type="ga4gh", api_config=config, credential=secret, credential_shared=True)
    document["base_url"] = document["base_url"].replace("://", "://user:password@")
    local.store(document)
    wait_until(lambda: read(local, "/services", {}), "it is listed")
    for path in ("/services", f"/services/{document['id']}"):
        text = local.http.get(BASE + path).text
        assert not any(hidden in text for hidden in (secret, "inside", "password", "api_config", "credential"))


def test_sites_on_internal_networks_are_shown_on_ones_own_machine_only(registry: Registry) -> None:
    inside = registry.store(registry.describe_site())
    outside = registry.store(registry.describe_site(base_url="https://impute.example.org", api_config={}))
    shown = [service["id"] for service in read(registry, "/services", {})]
    assert outside in shown
    assert inside not in shown
    assert registry.http.get(f"{BASE}/services/{inside}").status_code == 404


@pytest.mark.parametrize(
    "service_id", ["00000000-0000-4000-8000-000000000000", "org.ga4gh.nothing", "%00", "a b", "x" * 3000]
)
def test_an_unknown_id_is_a_404_in_the_form_of_the_specification(registry: Registry, service_id: str) -> None:
    answer = registry.http.get(f"{BASE}/services/{service_id}")
    assert answer.status_code == 404
    jsonschema.validate(answer.json(), ERROR)
    assert answer.json()["status"] == 404


def test_it_is_read_only_and_takes_no_parameters(registry: Registry) -> None:
    assert registry.http.post(f"{BASE}/services", json={}).status_code == 405
    assert registry.http.delete(f"{BASE}/services/{uuid4()}").status_code == 405
    assert registry.http.get(f"{BASE}/services", params={"limit": 1}).status_code == 400
