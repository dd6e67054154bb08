"""Where the platform connects to, and how."""

import ipaddress
import ssl
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from microservices.backends.base import SiteError
from microservices.backends.egress import is_public_address
from microservices.backends.registry import open_backend
from microservices.backends.session import open_site_session
from tests.backends import shapes
from tests.backends.stub_site import connect, open_michigan, run_site

INNER = """127.0.0.1 10.1.2.3 192.168.0.9 169.254.169.254 100.64.0.1 0.0.0.0 224.0.0.1
    :: ::1 fe80::1%eth0 fd00::1 ::ffff:127.0.0.1 64:ff9b::7f00:1 2002:7f00:1::
    ::127.0.0.1 ::ffff:0:127.0.0.1 64:ff9b:1::7f00:1 fec0::1"""


@pytest.mark.parametrize("address", INNER.split())
def test_inner_addresses_are_not_public(address: str) -> None:
    assert not is_public_address(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8"])
def test_outer_addresses_are_public(address: str) -> None:
    assert is_public_address(address)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "2130706433"])
async def test_a_private_address_is_refused_by_number_and_by_name(host: str) -> None:
    async with run_site() as site:
        site.answer("/api/v2/server", shapes.server())
        address = site.base_url.replace("127.0.0.1", host)
        async with open_michigan(address, allow_private_network=False) as backend:
            with pytest.raises(SiteError) as refused:
                await backend.describe()
            assert (await backend.probe()).health == "unhealthy"
    assert refused.value.permanent
    assert refused.value.code in ("address_private", "base_url_invalid")
    assert refused.value.whose == "platform"
    assert site.seen == []


async def test_only_a_known_protocol_and_a_safe_address_open_a_backend() -> None:
    connection = connect("https://imputation.example.org")
    async with open_site_session(connection) as session:
        assert open_backend(connection, session)
        for broken, code in [
            (replace(connection, api_type="ga4gh-of-tomorrow"), "api_type_unknown"),  # type: ignore[arg-type]
            (replace(connection, base_url="imputation.example.org"), "base_url_invalid"),
            (replace(connection, base_url="https://user:pw@imputation.example.org"), "base_url_invalid"),
            (connect("http://imputation.example.org", allow_private_network=False), "base_url_insecure"),
        ]:
            with pytest.raises(SiteError) as refused:
                open_backend(broken, session)
            assert (refused.value.code, refused.value.whose, refused.value.permanent) == (code, "platform", True)


async def test_an_untrusted_certificate_is_refused_until_its_ca_is_given(tmp_path: Path) -> None:
    pem = _write_certificate(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tmp_path / "site.pem", tmp_path / "site.key")
    app = web.Application()

    async def answer(request: web.Request) -> web.Response:
        return web.json_response(shapes.stranger_server())

    app.router.add_get("/api/v2/server", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    connection = connect(f"https://127.0.0.1:{runner.addresses[0][1]}")
    try:
        async with open_site_session(connection) as session:
            assert "certificate" in (await open_backend(connection, session).probe()).message
        async with open_site_session(replace(connection, ca_pem=pem)) as session:
            assert (await open_backend(connection, session).probe()).health == "healthy"
    finally:
        await runner.cleanup()


async def test_a_broken_ca_is_the_curators_to_correct() -> None:
    with pytest.raises(SiteError) as refused:
        open_site_session(replace(connect("https://x.example.org"), ca_pem="-----BEGIN nonsense"))
    assert (refused.value.code, refused.value.whose) == ("ca_pem_invalid", "platform")


def _write_certificate(folder: Path) -> str:
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
    (folder / "site.pem").write_bytes(pem)
    (folder / "site.key").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return pem.decode()
