"""Large bodies in constant memory, back-pressure both ways, and connections that end too early."""

import hashlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress

import httpx
import psutil
import pytest

from microservices.api_gateway.main import build
from microservices.api_gateway.settings import Settings
from microservices.kernel.testing import serve_app
from tests.api_gateway.conftest import address_of
from tests.api_gateway.stubs import CHUNK, EchoService, read_head, serve_raw
from tests.waiting import wait_until

MIB = 1024**2
SIZE = 96 * MIB
# What may be under way: socket buffers of four connections, which Linux lets grow to several MiB each.
UNDER_WAY = 40 * MIB


@pytest.fixture
def growth() -> Iterator[Callable[[], int]]:
    """By how many bytes this process (client, gateway and service in one) has grown at most."""
    process = psutil.Process()
    before = peak = process.memory_info().rss
    done = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.wait(0.01):
            peak = max(peak, process.memory_info().rss)

    watcher = threading.Thread(target=watch)
    watcher.start()
    yield lambda: peak - before
    done.set()
    watcher.join()


def test_a_large_upload_takes_constant_memory(http: httpx.Client, growth: Callable[[], int]) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(SIZE // len(CHUNK)):
            yield CHUNK

    told = http.post("/api/v1/files", content=chunks(), headers={"Content-Length": str(SIZE)}).json()
    digest = hashlib.sha256()
    for _ in range(SIZE // len(CHUNK)):
        digest.update(CHUNK)
    assert (told["size"], told["sha256"]) == (SIZE, digest.hexdigest())
    assert growth() < 32 * MIB


def test_a_large_download_takes_constant_memory(http: httpx.Client, growth: Callable[[], int]) -> None:
    received = 0
    with http.stream("GET", "/api/v1/files/big/content", params={"size": SIZE}) as answer:
        assert answer.headers["content-length"] == str(SIZE)
        assert answer.headers["content-disposition"] == 'attachment; filename="a"'
        for chunk in answer.iter_raw():
            received += len(chunk)
    assert received == SIZE
    assert growth() < 32 * MIB


def settle(count: Callable[[], int]) -> int:
    """The count once it has stood still for a while."""
    last, since, deadline = count(), time.monotonic(), time.monotonic() + 60
    while time.monotonic() - since < 0.4:
        assert time.monotonic() < deadline, "It never stood still"
        time.sleep(0.02)
        if count() != last:
            last, since = count(), time.monotonic()
    return last


def test_a_client_that_does_not_read_stops_the_service(gateway: str, echo: EchoService) -> None:
    with socket.create_connection(address_of(gateway), timeout=60) as connection:
        request = f"GET /api/v1/files/big/content?size={4 * SIZE} HTTP/1.1\r\nHost: x\r\n\r\n"
        connection.sendall(request.encode())
        wait_until(lambda: echo.sent_bytes)
        assert settle(lambda: echo.sent_bytes) < UNDER_WAY


def test_a_service_that_does_not_read_stops_the_client(gateway: str, echo: EchoService) -> None:
    sent = 0
    with socket.create_connection(address_of(gateway), timeout=0.5) as connection:
        connection.sendall(
            f"POST /api/v1/files/stuck HTTP/1.1\r\nHost: x\r\nContent-Length: {4 * SIZE}\r\n\r\n".encode()
        )
        with suppress(TimeoutError):
            while sent < SIZE:
                sent += connection.send(CHUNK)
    assert echo.waiting.wait(60)
    assert sent < UNDER_WAY
    echo.may_read.set()
    assert echo.left.wait(60), "the aborted upload must be seen as one"


@pytest.mark.parametrize("path", ["/api/v1/jobs/slow", "/api/v1/files/endless/content"])
def test_a_client_that_leaves_ends_the_request_behind(gateway: str, echo: EchoService, path: str) -> None:
    with socket.create_connection(address_of(gateway), timeout=60) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert echo.waiting.wait(60)
    assert echo.left.wait(60)


def test_a_client_that_leaves_while_uploading_ends_the_upload(gateway: str, echo: EchoService) -> None:
    with socket.create_connection(address_of(gateway), timeout=60) as connection:
        head = f"POST /api/v1/files HTTP/1.1\r\nHost: x\r\nContent-Length: {SIZE}\r\n\r\n"
        connection.sendall(head.encode() + CHUNK)
        assert echo.waiting.wait(60)
        assert not echo.left.is_set()
    assert echo.left.wait(60)


@pytest.fixture
def gateway_to(make_settings: Callable[..., Settings]) -> Iterator[Callable[[str], httpx.Client]]:
    """A client of a gateway whose job_processor is at the given address."""
    with ExitStack() as stack:

        def connect(url: str, **settings: float) -> httpx.Client:
            gateway = stack.enter_context(serve_app(build(make_settings(job_processor_url=url, **settings))))
            return stack.enter_context(httpx.Client(base_url=gateway, timeout=60, trust_env=False))

        yield connect


def unused_address() -> str:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_a_service_that_is_down_is_said_to_be(gateway_to: Callable[[str], httpx.Client]) -> None:
    answer = gateway_to(unused_address()).get("/api/v1/jobs")
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "dependency_unavailable"
    assert "job_processor" in answer.json()["detail"]
    assert answer.headers["retry-after"] == "5"
    assert "ratelimit" in answer.headers


@pytest.mark.parametrize(
    "begun",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 100_000,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
    ],
)
def test_an_answer_that_breaks_off_is_no_whole_answer(gateway_to: Callable[[str], httpx.Client], begun: bytes) -> None:
    def break_off(connection: socket.socket, _number: int) -> None:
        with connection:
            read_head(connection)
            connection.sendall(begun)

    with serve_raw(break_off) as url, pytest.raises(httpx.RemoteProtocolError):
        gateway_to(url).get("/api/v1/jobs")


def test_a_short_answer_that_breaks_off_is_a_fault_of_the_service(
    gateway_to: Callable[[str], httpx.Client],
) -> None:
    def break_off(connection: socket.socket, _number: int) -> None:
        with connection:
            read_head(connection)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello")

    with serve_raw(break_off) as url:
        answer = gateway_to(url).get("/api/v1/jobs")
    assert (answer.status_code, answer.json()["code"]) == (502, "upstream_broken")


def test_what_is_no_http_is_a_fault_of_the_service(gateway_to: Callable[[str], httpx.Client]) -> None:
    def babble(connection: socket.socket, _number: int) -> None:
        with connection:
            read_head(connection)
            connection.sendall(b"EHLO hub.example.org\r\n\r\n")

    with serve_raw(babble) as url:
        answer = gateway_to(url).get("/api/v1/jobs")
    assert (answer.status_code, answer.json()["code"]) == (502, "upstream_broken")


def test_a_service_that_never_answers_is_given_up(gateway_to: Callable[..., httpx.Client]) -> None:
    def keep_silent(connection: socket.socket, _number: int) -> None:
        read_head(connection)
        connection.recv(1)

    with serve_raw(keep_silent) as url:
        answer = gateway_to(url, idle_timeout_s=0.3).post("/api/v1/jobs", json={})
    assert (answer.status_code, answer.json()["code"]) == (504, "upstream_timeout")


class Forgetful:
    """A server that answers once on a connection and then closes it when the next request is there."""

    def __init__(self) -> None:
        self.requests: list[bytes] = []

    def __call__(self, connection: socket.socket, _number: int) -> None:
        with connection:
            if self._read(connection):
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
                self._read(connection)

    def _read(self, connection: socket.socket) -> bytes:
        head = read_head(connection)
        if head:
            self.requests.append(head.split(b"\r\n")[0])
        return head


def test_a_get_on_a_connection_that_has_ended_is_sent_again(gateway_to: Callable[[str], httpx.Client]) -> None:
    server = Forgetful()
    with serve_raw(server) as url:
        client = gateway_to(url)
        assert [client.get(f"/api/v1/jobs/{number}").status_code for number in range(2)] == [200, 200]
    assert server.requests == [f"GET /api/v1/jobs/{path} HTTP/1.1".encode() for path in (0, 1, 1)]


def test_a_post_is_never_sent_again(gateway_to: Callable[[str], httpx.Client]) -> None:
    server = Forgetful()
    with serve_raw(server) as url:
        client = gateway_to(url)
        assert client.get("/api/v1/jobs").status_code == 200
        assert client.post("/api/v1/jobs", content=b"").json()["code"] == "dependency_unavailable"
    assert [request.split()[0] for request in server.requests] == [b"GET", b"POST"]
