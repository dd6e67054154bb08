"""Our services ask one another over connections that are kept, and that may have ended meanwhile."""

import socket
from collections.abc import Iterator
from threading import Semaphore, Thread

import psycopg2
import pytest
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from pydantic import SecretStr
from sqlalchemy import text

from microservices.kernel.connections import Connections
from microservices.kernel.db import Database
from microservices.kernel.errors import DependencyUnavailableError, NotFoundError, UpstreamRefusedError
from microservices.kernel.service_tokens import PeerClient, ServiceTokens
from microservices.kernel.testing import serve_app

app = FastAPI()


@app.post("/echo")
async def echo(request: Request) -> JSONResponse:
    query = [list(pair) for pair in request.query_params.multi_items()]
    peer = request.client.port if request.client else 0
    return JSONResponse({"body": (await request.body()).decode(), "query": query, "port": peer})


@app.get("/status/{status}")
def answer_status(status: int) -> JSONResponse:
    return JSONResponse({"detail": "said by the peer"}, status_code=status)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serve_app(app) as url:
        yield url


def test_one_connection_serves_call_after_call(url: str) -> None:
    connections = Connections(url)
    ports = {connections.ask("POST", "/echo", {}).json()["port"] for _ in range(5)}
    assert len(ports) == 1
    connections.close()


def test_the_body_and_the_parameters_arrive_as_they_were_given(url: str) -> None:
    connections = Connections(url)
    params = {"id": ["a b", "c&d"], "nonce": "ü"}
    answer = connections.ask("POST", "/echo", {}, json_body={"name": "Zoë\x00"}, params=params).json()
    assert answer["body"] == '{"name": "Zo\\u00eb\\u0000"}'
    assert answer["query"] == [["id", "a b"], ["id", "c&d"], ["nonce", "ü"]]
    connections.close()


def test_a_connection_that_the_server_has_ended_is_replaced() -> None:
    """A server that keeps none, and does not say so beforehand: each call gets a new one, and none fails."""
    ended = Semaphore(0)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        connections = Connections(f"http://127.0.0.1:{listener.getsockname()[1]}")
        server = Thread(target=answer_once_each, args=(listener, 3, ended))
        server.start()
        for _ in range(3):
            assert connections.ask("GET", "/", {}).status == 200
            assert ended.acquire(timeout=60)
        server.join(60)
        connections.close()


def answer_once_each(listener: socket.socket, count: int, ended: Semaphore) -> None:
    for _ in range(count):
        with listener.accept()[0] as connection:
            connection.recv(1 << 16)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        ended.release()


def test_a_server_that_is_gone_is_told_as_such() -> None:
    with serve_app(app) as passing:
        connections = Connections(passing)
        assert connections.ask("GET", "/status/204", {}).status == 204
    with pytest.raises(DependencyUnavailableError):
        connections.ask("GET", "/status/200", {})


REFUSALS = {
    404: NotFoundError,
    429: DependencyUnavailableError,
    503: DependencyUnavailableError,
    400: UpstreamRefusedError,
    500: UpstreamRefusedError,
}


@pytest.mark.parametrize(("status", "error"), REFUSALS.items())
def test_what_a_peer_refuses_is_told_as_an_error_of_ours(url: str, status: int, error: type[Exception]) -> None:
    client = PeerClient("peer", url, ServiceTokens(url, "tests", SecretStr("unused")))
    with pytest.raises(error):
        client.call("GET", f"/status/{status}", token="a caller's")
    client.close()


def test_a_database_connection_that_was_ended_is_replaced_before_it_is_used(database: Database) -> None:
    """As a restart of PostgreSQL does with all of them; nobody who asks afterwards is told of it."""
    with database.transaction() as session:
        first = session.scalar(text("SELECT pg_backend_pid()"))
    url = database.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    other = psycopg2.connect(url)
    other.autocommit = True
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 10000)", (first,))  # returns when it has ended
    other.close()
    with database.transaction() as session:
        assert session.scalar(text("SELECT pg_backend_pid()")) != first
