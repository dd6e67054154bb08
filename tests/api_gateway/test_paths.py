"""What is not let in does not exist, however it is written."""

import socket

import httpx
import pytest

from tests.api_gateway.conftest import address_of
from tests.api_gateway.stubs import EchoService, read_head

TRICKS = [
    "/",
    "/nothing",
    "/internal/events",
    "/INTERNAL/events",
    "/metrics",
    "/Metrics",
    "/metrics/",
    "//internal/events",
    "//metrics",
    "/./metrics",
    "/api/v1/jobs/../../../internal/events",
    "/api/v1/jobs/..%2f..%2f..%2finternal/events",
    "/api/v1/jobs/%2e%2e/%2e%2e/%2e%2e/internal/events",
    "/api/v1/jobs/%252e%252e/internal",
    "/api/v1/jobs/..\\..\\internal",
    "/api/v1/jobs/%5c..%5cinternal",
    "/%69nternal/events",
    "/%6detrics",
    "/api/v1/jobs//internal/events",
    "/api/v1/jobs/.",
    "/api/v1/jobs/..",
    "/api/v1/jobs/%00",
    "/api/v1/jobs/%0d%0aX-Evil:1",
    "/api/v1/jobs/%zz",
    "/api/v1/jobs/%",
    "/api/v1/jobsinternal",
    "/api/v1/%6aobs",
    "/API/v1/jobs",
    "/api/v1/internal/events",
    "/api/v1",
    "/adminx",
    "/.well-known/jwks.json/x",
    "/redoc",
]


@pytest.mark.parametrize("path", TRICKS)
def test_what_is_not_let_in_is_not_found(gateway: str, echo: EchoService, path: str) -> None:
    assert _ask(gateway, path).startswith(b"HTTP/1.1 404 ")
    assert echo.seen == []


def test_an_absolute_address_is_judged_by_its_path(gateway: str, echo: EchoService) -> None:
    assert _ask(gateway, "http://127.0.0.1/internal/events").startswith(b"HTTP/1.1 404 ")
    assert echo.seen == []


def test_not_found_is_a_problem_document(http: httpx.Client) -> None:
    answer = http.get("/metrics")
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.json()["code"], answer.json()["request_id"]) == ("not_found", answer.headers["x-request-id"])


def test_two_lengths_are_refused(gateway: str, echo: EchoService) -> None:
    """A body that two servers would measure differently could hide a second request."""
    head = "POST /api/v1/jobs HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
    with socket.create_connection(address_of(gateway), timeout=60) as connection:
        connection.sendall(head.encode() + b"0\r\n\r\nGET /internal/x HTTP/1.1\r\nHost: x\r\n\r\n")
        assert read_head(connection).startswith(b"HTTP/1.1 400 ")
    assert echo.seen == []


def _ask(gateway: str, path: str) -> bytes:
    with socket.create_connection(address_of(gateway), timeout=60) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        return read_head(connection)
