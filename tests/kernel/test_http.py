"""What every service does around its own routes: access, errors, request ids, health."""

import gzip
from collections.abc import Iterator
from typing import Annotated

import httpx
import pytest
from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from microservices.kernel.app import create_app
from microservices.kernel.auth import ANYONE, PEOPLE, Principal, people_with, services_with
from microservices.kernel.errors import ConflictError, ServiceError
from microservices.kernel.health import ReadinessCheck
from microservices.kernel.settings import ServiceSettings
from microservices.kernel.testing import TokenAuthority, serve_app


class Order(BaseModel):
    model_config = ConfigDict(extra="forbid")

    count: int
    secret: SecretStr = SecretStr("")
    password: SecretStr = Field(default=SecretStr(""), min_length=10)


router = APIRouter()


@router.get("/people")
def greet(caller: Annotated[Principal, Depends(PEOPLE)]) -> str:
    return caller.subject


@router.get("/curators", dependencies=[Depends(people_with("curator"))])
def greet_curator() -> str:
    return "curator"


@router.get("/services", dependencies=[Depends(services_with("files:read"))])
def greet_service() -> str:
    return "service"


@router.post("/orders", dependencies=[Depends(ANYONE)])
def order(wanted: Order) -> int:
    return wanted.count


@router.get("/conflict", dependencies=[Depends(ANYONE)])
def conflict() -> None:
    raise ConflictError("It is closed. Open it first.", code="order_closed")


@router.get("/bug", dependencies=[Depends(ANYONE)])
def stumble() -> None:
    raise RuntimeError("hunter2 in a message")


class Flag:
    raised = False

    def check(self) -> None:
        if self.raised:
            raise ConnectionError("it is away")


@pytest.fixture
def optional() -> Flag:
    return Flag()


@pytest.fixture
def required() -> Flag:
    return Flag()


@pytest.fixture
def http(settings: ServiceSettings, optional: Flag, required: Flag) -> Iterator[httpx.Client]:
    checks = [ReadinessCheck("optional", optional.check, required=False), ReadinessCheck("required", required.check)]
    with serve_app(create_app("orders", settings, [router], checks=checks)) as url, httpx.Client(base_url=url) as http:
        yield http


def test_people_services_and_roles_are_told_apart(http: httpx.Client, authority: TokenAuthority) -> None:
    callers = {
        "nobody": {},
        "researcher": authority.person(),
        "curator": authority.person(["curator"]),
        "admin": authority.person(["admin"]),
        "with scope": authority.service("x", "files:read files:write"),
        "without scope": authority.service("x", "files:write"),
    }
    seen = {
        name: [http.get(path, headers=headers).status_code for path in ("/people", "/curators", "/services")]
        for name, headers in callers.items()
    }
    assert seen == {
        "nobody": [401, 401, 401],
        "researcher": [200, 403, 403],
        "curator": [200, 200, 403],
        "admin": [200, 200, 403],
        "with scope": [403, 403, 200],
        "without scope": [403, 403, 403],
    }


@pytest.mark.parametrize("header", ["", "Bearer", "Basic eDp5", "Bearer x y", "bearer\tx"])
def test_other_authorization_is_no_log_in(http: httpx.Client, header: str) -> None:
    answer = http.get("/people", headers={"Authorization": header})
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


def test_an_error_is_a_problem_document_with_a_stable_code(http: httpx.Client) -> None:
    answer = http.get("/conflict", headers={"X-Request-ID": "request-0001"})
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "type": "urn:imputehub:problem:order_closed",
        "title": ConflictError.title,
        "status": 409,
        "detail": "It is closed. Open it first.",
        "code": "order_closed",
        "request_id": "request-0001",
    }


def test_wrong_input_is_named_but_not_repeated(http: httpx.Client) -> None:
    answer = http.post("/orders", json={"count": "many hunter2", "secret": {"x": "hunter2"}, "more": "hunter2"})
    assert answer.status_code == 400
    assert {found["field"] for found in answer.json()["errors"]} == {"count", "secret", "more"}
    assert "hunter2" not in answer.text


def test_wrong_input_is_told_in_words_that_people_know(http: httpx.Client) -> None:
    answer = http.post("/orders", json={"count": 1, "password": "short", "more": 1})
    assert {found["field"]: found["message"] for found in answer.json()["errors"]} == {
        "password": "Value should have at least 10 characters, not 5",
        "more": "There is no such field here",
    }


def test_a_body_that_is_no_text_is_wrong_input(http: httpx.Client) -> None:
    compressed = http.post("/orders", content=gzip.compress(b"{}"), headers={"Content-Type": "application/json"})
    assert (compressed.status_code, compressed.json()["code"]) == (400, "invalid_input")
    assert "not compressed" in compressed.json()["detail"]


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "not_found"),
        ("PUT", "/orders", 405, "method_not_allowed"),
        ("GET", "/people/", 404, "not_found"),
    ],
)
def test_what_the_framework_refuses_looks_the_same(
    http: httpx.Client, method: str, path: str, status: int, code: str
) -> None:
    answer = http.request(method, path)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert "address" in answer.json()["detail"]
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_bug_is_our_fault_and_tells_nothing_but_the_request_s_id(http: httpx.Client) -> None:
    answer = http.get("/bug")
    problem = answer.json()
    assert (answer.status_code, problem["code"], problem["title"]) == (500, "internal_error", ServiceError.title)
    assert problem["request_id"] == answer.headers["x-request-id"]
    assert "hunter2" not in answer.text


@pytest.mark.parametrize("given", ["short", "x" * 65, "with space in it", 'quote"quote', ""])
def test_a_request_id_that_could_spoil_a_log_is_replaced(http: httpx.Client, given: str) -> None:
    answer = http.get("/health", headers={"X-Request-ID": given})
    assert answer.headers["x-request-id"] != given
    assert len(answer.headers["x-request-id"]) == 32


def test_a_good_request_id_is_kept(http: httpx.Client) -> None:
    assert http.get("/health", headers={"X-Request-ID": "Good.id_00-1"}).headers["x-request-id"] == "Good.id_00-1"


def test_readiness_names_what_is_down_and_fails_only_for_what_is_needed(
    http: httpx.Client, optional: Flag, required: Flag
) -> None:
    answer = http.get("/health/ready")
    assert (answer.status_code, answer.json()["status"]) == (200, "ready")
    assert set(answer.json()["dependencies"]) == {"database", "optional", "required"}
    optional.raised = True
    answer = http.get("/health/ready")
    assert answer.status_code == 200
    assert answer.json()["dependencies"]["optional"] == {"status": "down", "error": "ConnectionError: it is away"}
    required.raised = True
    assert http.get("/health/ready").status_code == 503
    assert http.get("/health").status_code == 200


def test_metrics_count_requests_by_route(http: httpx.Client) -> None:
    http.post("/orders", json={"count": 1})
    assert 'http_requests_total{method="POST",route="/orders",status="200"}' in http.get("/metrics").text
