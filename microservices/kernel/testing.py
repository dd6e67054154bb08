"""For tests: a token authority that signs real tokens, and applications served over real HTTP."""

import json
import socket
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import UUID, uuid4

import uvicorn
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from microservices.kernel.auth import ALGORITHM, AUDIENCE, ISSUER, sign_claims


class TokenAuthority:
    """Answers `/.well-known/jwks.json` and client_credentials grants, and signs tokens for whom a test wants."""

    def __init__(self) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        self.private_key_pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        numbers = key.public_key().public_numbers()
        coordinates = {name: _to_base64(getattr(numbers, name)) for name in ("x", "y")}
        self.jwk = {"kty": "EC", "crv": "P-256", "alg": ALGORITHM, "use": "sig", "kid": "test", **coordinates}
        self.service_scopes = "files:read files:write credentials:read events:write catalogue:read jobs:read"

    def sign(self, claims: dict[str, Any], headers: dict[str, Any] | None = None) -> str:
        now = int(time.time())
        base = {"iss": ISSUER, "aud": AUDIENCE, "iat": now, "exp": now + 600, "jti": uuid4().hex, "sid": uuid4().hex}
        return sign_claims(
            {**base, **claims}, private_key_pem=self.private_key_pem, headers={"kid": "test", **(headers or {})}
        )

    def person(
        self,
        roles: Iterable[str] = ("researcher",),
        *,
        user_id: UUID | None = None,
        organization_id: UUID | None = None,
        tier: str = "local",
    ) -> dict[str, str]:
        """Headers of a person; a new one of a new organisation unless told otherwise."""
        claims = {
            "sub": str(user_id or uuid4()),
            "org": str(organization_id or uuid4()),
            "roles": list(roles),
            "tier": tier,
        }
        return {"Authorization": f"Bearer {self.sign(claims)}"}

    def service(self, client_id: str, scope: str | None = None) -> dict[str, str]:
        claims = {"sub": f"service:{client_id}", "scope": self.service_scopes if scope is None else scope}
        return {"Authorization": f"Bearer {self.sign(claims)}"}


def _to_base64(number: int) -> str:
    return urlsafe_b64encode(number.to_bytes(32, "big")).rstrip(b"=").decode()


@contextmanager
def serve_authority(authority: TokenAuthority) -> Iterator[str]:
    """The authority's base address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer({"keys": [authority.jwk]})

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            token = authority.service("test-client")["Authorization"].removeprefix("Bearer ")
            self._answer({"access_token": token, "token_type": "bearer", "expires_in": 3600})

        def _answer(self, body: dict[str, Any]) -> None:
            payload = json.dumps(body).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

        def log_message(self, *_args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def serve_app(app: Any, *, proxy_headers: bool = True) -> Iterator[str]:
    """Serve an ASGI application on a free port of 127.0.0.1; its base address. Ready when given.

    `proxy_headers`: believe `X-Forwarded-*` of whoever calls from this machine, as uvicorn does unless told otherwise.
    """
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    config = uvicorn.Config(
        app, log_config=None, access_log=False, timeout_graceful_shutdown=2, proxy_headers=proxy_headers
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started:
        if not thread.is_alive() or time.monotonic() > deadline:
            raise RuntimeError("The application did not start")
        threading.Event().wait(0.02)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(timeout=10)
        listener.close()
