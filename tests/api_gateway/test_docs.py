"""One description of all services."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from pydantic import BaseModel, create_model

from microservices.api_gateway.logic.merged_schema import merge_schemas
from microservices.api_gateway.main import build
from microservices.api_gateway.settings import Settings
from microservices.kernel.testing import serve_app
from tests.api_gateway.conftest import UPSTREAMS


class Same(BaseModel):
    """Means the same everywhere."""

    name: str


class Hidden(BaseModel):
    """Only for services among themselves."""


def make_service(prefix: str, field: str) -> FastAPI:
    """`Item` differs between services, `Holder` only by what it refers to, `Same` not at all."""
    app = FastAPI(title=prefix)
    item: Any = create_model("Item", **{field: (str, ...)})  # type: ignore[call-overload]
    holder: Any = create_model("Holder", item=(item, ...), same=(Same, ...))

    @app.get(prefix, operation_id="list", response_model=holder)
    def list_items() -> None: ...

    @app.get(f"{prefix}/{{item_id}}")
    def get_item(item_id: str) -> Same:
        return Same(name=item_id)

    @app.get("/internal/x", response_model=Hidden)
    def hide() -> None: ...

    return app


@pytest.fixture
def document(make_settings: Callable[..., Settings]) -> dict[str, Any]:
    """What the gateway says of two services, while all others are away."""
    gone = dict.fromkeys(UPSTREAMS, "http://127.0.0.1:1")
    with (
        serve_app(make_service("/api/v1/jobs", "job")) as jobs,
        serve_app(make_service("/api/v1/files", "file")) as files,
        serve_app(build(make_settings(**{**gone, "job_processor_url": jobs, "file_manager_url": files}))) as gateway,
    ):
        found: dict[str, Any] = httpx.get(f"{gateway}/openapi.json").json()
        return found


def test_all_services_are_one_document(document: dict[str, Any]) -> None:
    assert set(document["paths"]) == {
        "/api/v1/jobs",
        "/api/v1/jobs/{item_id}",
        "/api/v1/files",
        "/api/v1/files/{item_id}",
    }
    operations = [document["paths"][path]["get"] for path in ("/api/v1/jobs", "/api/v1/files")]
    assert [operation["operationId"] for operation in operations] == ["job_processor_list", "file_manager_list"]
    assert [operation["tags"] for operation in operations] == [["job_processor"], ["file_manager"]]


def test_names_that_mean_two_things_are_kept_apart(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    assert {"Same", "job_processor.Item", "file_manager.Item", "job_processor.Holder"} <= set(schemas)
    assert not {"Item", "Holder", "Hidden"} & set(schemas)
    answer = document["paths"]["/api/v1/files"]["get"]["responses"]["200"]["content"]["application/json"]
    holder = schemas[answer["schema"]["$ref"].removeprefix("#/components/schemas/")]
    assert holder["properties"]["item"] == {"$ref": "#/components/schemas/file_manager.Item"}
    assert holder["properties"]["same"] == {"$ref": "#/components/schemas/Same"}
    assert set(schemas["file_manager.Item"]["properties"]) == {"file"}


def test_refusals_are_described_as_they_are_made(document: dict[str, Any]) -> None:
    answers = document["paths"]["/api/v1/jobs/{item_id}"]["get"]["responses"]
    assert set(answers) == {"200", "400"}
    assert "application/problem+json" in answers["400"]["content"]


def test_what_is_away_is_left_out_and_named(document: dict[str, Any]) -> None:
    missing = ["django", "monitoring", "notification", "service_registry", "user_service"]
    assert document["info"]["x-unavailable"] == missing
    assert "django, monitoring" in document["info"]["description"]


def test_nothing_is_missing_when_all_are_there() -> None:
    merged = merge_schemas({"title": "t", "version": "1"}, {"job_processor": {"paths": {}}})
    assert merged["info"]["x-unavailable"] == []
    assert "left out" not in merged["info"]["description"]


def test_the_page_needs_nothing_from_elsewhere(gateway: str) -> None:
    page = httpx.get(f"{gateway}/docs")
    assert page.headers["content-type"].startswith("text/html")
    assert "connect-src 'self'" in page.headers["content-security-policy"]
    assert "/openapi.json" in page.text
    assert not any(part in page.text for part in ('src="', "//cdn", "@import", "url(", 'href="http'))


def test_the_health_of_the_gateway_touches_nothing(gateway: str) -> None:
    assert httpx.get(f"{gateway}/health").json()["status"] == "ok"
    assert httpx.get(f"{gateway}/health/ready").json()["status"] == "ready"
