"""Requests byte by byte, for clients that vanish, stall or lie."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote, urlsplit


@contextmanager
def half_request(
    address: str, path: str, headers: dict[str, str], body: bytes, length: int | None
) -> Iterator[socket.socket]:
    """A connection on which a request was begun: its head, and `body` as a part of what was announced (`length` in
    bytes, None: chunked). Closed in the end, whatever the server thinks of it."""
    parts = urlsplit(address)
    framing = {"Content-Length": str(length)} if length is not None else {"Transfer-Encoding": "chunked"}
    lines = [f"{name}: {value}" for name, value in {"Host": parts.netloc, **headers, **framing}.items()]
    head = "\r\n".join([f"POST {quote(path, safe='/?=&.')} HTTP/1.1", *lines, "", ""])
    if length is None and body:
        body = f"{len(body):x}\r\n".encode() + body + b"\r\n"
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=20) as connection:
        connection.sendall(head.encode() + body)
        yield connection


def read_answer(connection: socket.socket) -> str:
    """Head and beginning of the answer."""
    return connection.recv(65536).decode()
