"""`docs/openapi.json` is what the gateway says, in an order that stays the same."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from imputehub.frontend import FrontendError
from imputehub.frontend.description import write_description


class Gateway(ThreadingHTTPServer):
    """Answers `/openapi.json` with `description`."""

    description: dict[str, Any]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Gateway

    def do_GET(self) -> None:
        body = json.dumps(self.server.description).encode()
        self.send_response(200 if self.path == "/openapi.json" else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: Any) -> None:
        pass


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with Gateway(("127.0.0.1", 0), Handler) as server:
        server.description = {"info": {"title": "A", "x-unavailable": []}, "paths": {"/b": {}, "/a": {}}}
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_the_same_description_in_another_order_changes_nothing(gateway: Gateway, tmp_path: Path) -> None:
    target = tmp_path / "openapi.json"
    assert write_description(gateway.url, target) is True
    first = target.read_text()
    gateway.description = {"paths": {"/a": {}, "/b": {}}, "info": {"x-unavailable": [], "title": "A"}}
    assert write_description(gateway.url, target) is False
    assert target.read_text() == first
    assert json.loads(first) == {"info": {"title": "A"}, "paths": {"/a": {}, "/b": {}}}


def test_a_description_that_lacks_a_service_is_not_written(gateway: Gateway, tmp_path: Path) -> None:
    gateway.description["info"]["x-unavailable"] = ["monitoring"]
    with pytest.raises(FrontendError, match="monitoring"):
        write_description(gateway.url, tmp_path / "openapi.json")
    assert not (tmp_path / "openapi.json").exists()


def test_a_platform_that_does_not_run_is_told(gateway: Gateway, tmp_path: Path) -> None:
    url = gateway.url
    gateway.server_close()
    with pytest.raises(FrontendError, match="imputehub up"):
        write_description(url, tmp_path / "openapi.json")
