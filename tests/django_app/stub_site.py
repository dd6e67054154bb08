"""A Cloudgene or WES site for curators to try: real HTTP or TLS (with a certificate that nobody has signed)."""

import ipaddress
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

GOOD_TOKEN = "token-that-the-site-knows"
Listed = dict[str, tuple[str, list[str]]]
PANELS: Listed = {
    "apps@1000g-phase-3-v5@2.0.0": ("1000G Phase 3 v5 (GRCh37/hg19)", ["afr", "eur", "off"]),
    "apps@h3africa-v6hc-s@1.0.0": ("H3Africa v6 (GRCh38/hg38)", ["all"]),
    "apps@mystery@1.0.0": ("Mystery", []),
}
WES_INFO: dict[str, Any] = {
    "contact_info_url": "mailto:node@example.org",
    "auth_instructions_url": "https://example.org/log-in",
    "supported_wes_versions": ["1.0.0"],
    "supported_filesystem_protocols": ["file", "S3"],
    "workflow_type_versions": {"NFL": {"workflow_type_version": ["22.10.0"]}},
    "workflow_engine_versions": {"NFL": "22.10.0"},
    "system_state_counts": {"RUNNING": 3, "COMPLETE": 12},
}


@dataclass
class StubSite:
    """`status` and `body` are its answer about itself; `tokens` are those that it was asked about.

    `panels` are shown to whoever brings the good token. With `wes` it is a WES server at that path instead.
    """

    status: int = 200
    body: dict[str, Any] = field(
        default_factory=lambda: {
            "name": "Stub site",
            "apps": [{"id": "imputationserver2", "name": "Imputation", "version": "2.0.8"}],
            "loggedIn": False,
            "maintenace": False,
        }
    )
    panels: Listed = field(default_factory=lambda: dict(PANELS))
    listed_times: int = 1
    wes: str | None = None
    info: dict[str, Any] = field(default_factory=lambda: dict(WES_INFO))
    tokens: list[str] = field(default_factory=list)
    seen: list[tuple[str, str | None]] = field(default_factory=list)
    url: str = ""

    def verify(self, token: str) -> dict[str, Any]:
        self.tokens.append(token)
        if token == GOOD_TOKEN:
            return {"valid": True, "username": "curator", "message": "Token is valid.", "expire": "2031-01-01"}
        return {"valid": False, "message": "Invalid token."}

    def answer(self, path: str, token: str | None) -> tuple[int, Any]:
        self.seen.append((path, token))
        if self.wes is not None:
            return self._answer_wes(path, token)
        match path:
            case "/api/v2/server":
                return self.status, {**self.body, "loggedIn": token == GOOD_TOKEN}
            case "/api/v2/server/counters":
                return self.status, {"complete": {"runs": 12}, "queue": {"size": 3}, "users": 2}
            case _ if path.startswith("/api/v2/server/apps/") and token == GOOD_TOKEN:
                return 200, {"id": "imputationserver2", "version": "2.0.8", "params": self._list_parameters()}
        return 401 if path.startswith("/api/") else 404, {"message": "Unauthorized"}

    def _answer_wes(self, path: str, token: str | None) -> tuple[int, Any]:
        if path == f"{self.wes}/service-info":
            return self.status, self.info
        if path == f"{self.wes}/runs":
            return (200, {"runs": []}) if token == GOOD_TOKEN else (401, {"msg": "Who are you?"})
        return 404, {"message": "not found"}

    def _list_parameters(self) -> list[dict[str, Any]]:
        names = [{"key": key, "value": name} for key, (name, _) in self.panels.items()] * self.listed_times
        bound = [
            {"key": key, "values": [{"key": one, "value": one.upper()} for one in populations]}
            for key, (_, populations) in self.panels.items()
        ]
        return [
            {"id": "refpanel", "type": "app_list", "values": names},
            {"id": "population", "type": "binded_list", "bind": "refpanel", "values": bound},
        ]


class PatientServer(ThreadingHTTPServer):
    request_queue_size = 512  # a hundred curators' probes at once are not refused


@contextmanager
def serve_site(tls: ssl.SSLContext | None = None) -> Iterator[StubSite]:
    site = StubSite()
    server = PatientServer(("127.0.0.1", 0), _make_handler(site))
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    site.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()


def _make_handler(site: StubSite) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            bearer = self.headers.get("Authorization", "").removeprefix("Bearer ")
            self._answer(*site.answer(self.path.partition("?")[0], self.headers.get("X-Auth-Token") or bearer or None))

        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self._answer(200, site.verify(form["token"][0]))

        def _answer(self, status: int, body: Any) -> None:
            payload = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

        def log_message(self, *_args: Any) -> None:
            pass

    return Handler


def make_tls(folder: Path) -> tuple[ssl.SSLContext, str]:
    """(the server's side, its certificate as PEM) for 127.0.0.1."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "stub site")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "site.pem").write_bytes(pem + private)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "site.pem")
    return context, pem.decode()
