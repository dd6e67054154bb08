"""What answers is not always a site: each claim of a probe against servers that only look like one."""

import datetime
import ipaddress
import ssl
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from tests.service_registry import lying_sites as lies
from tests.service_registry.lying_sites import COUNTERS, PAGE, SERVER, WES_INFO, LyingSite, make_answer, run_lying_site
from tests.service_registry.registry import Registry

PATIENT = {"allow_private_network": True}
SHORT = {**PATIENT, "connect_timeout_s": 0.6, "request_timeout_s": 0.4}
LOGIN = make_answer(b"", "302 Found", more="Location: https://login.example.org/\r\n")
GOOD_SERVER, GOOD_COUNTERS = make_answer(SERVER), make_answer(COUNTERS)


def probe(registry: Registry, site: LyingSite, tls: ssl.SSLContext | None = None, **changes: Any) -> dict[str, Any]:
    """The site as the registry shows it after its first check; one that answers without an end is given little time."""
    config = SHORT if any(callable(answer) for answer in site.answers.values()) else PATIENT
    with run_lying_site(site, tls) as url:
        document = registry.describe_site(base_url=url, api_config=config, **changes)
        return registry.wait_for_check(registry.store(document), within_s=60)


def test_a_cloudgene_site_is_asked_for_both_as_a_stranger_and_is_healthy(registry: Registry) -> None:
    site = LyingSite({"/server": GOOD_SERVER, "/counters": GOOD_COUNTERS})
    found = probe(registry, site, credential="secret", credential_shared=True)
    assert (found["health_status"], found["error_message"]) == ("healthy", None)
    assert site.hits == {"/api/v2/server": 1, "/api/v2/server/counters": 1}


def test_a_cloudgene_site_that_does_not_count_is_not_ill(registry: Registry) -> None:
    assert probe(registry, LyingSite({"/server": GOOD_SERVER}))["health_status"] == "healthy"


ANSWERS: list[tuple[str, Any, str]] = [
    ("a page", make_answer(PAGE, kind="text/html"), "something else than data"),
    ("a page that says it is JSON", make_answer(PAGE), "something else than data"),
    ("half of the JSON", make_answer(b'{"name": "A si'), "something else than data"),
    ("a list", make_answer([SERVER]), "something else than data"),
    ("another program's JSON", make_answer({"status": "ok"}), "not"),
    ("a log-in in JSON", make_answer({"message": "Unauthorized"}, "401 Unauthorized"), "log-in"),
    ("a log-in page", make_answer(PAGE, "401 Unauthorized", "text/html"), "log-in"),
    ("a redirect to a log-in", LOGIN, "redirects"),
    ("a proxy whose site is down", make_answer(PAGE, "502 Bad Gateway", "text/html"), "502"),
    ("an empty answer", make_answer(b""), "something else than data"),
    ("nesting without end", make_answer(b"[" * 100_000), "something else than data"),
    ("bytes that are no text", make_answer(b'{"name": "\xff\xfe"}'), "something else than data"),
    ("an answer without an end", lies.flood, "larger than"),
    ("silence", lies.say_nothing, "in time"),
    ("a drip of bytes", lies.drip, "in time"),
    ("a drip of headers", lies.drip_head, "in time"),
    ("a broken connection", lies.hang_up, "broke off"),
]


@pytest.mark.parametrize("place", ["/server", "/counters"])
@pytest.mark.parametrize(("answer", "words"), [lie[1:] for lie in ANSWERS], ids=[lie[0] for lie in ANSWERS])
def test_whatever_else_answers_at_either_place_is_unhealthy_in_words(
    registry: Registry, place: str, answer: Any, words: str
) -> None:
    answers = {"/server": GOOD_SERVER, "/counters": GOOD_COUNTERS} | {place: answer}
    found = probe(registry, LyingSite(answers))
    assert (found["health_status"], found["is_available"]) == ("unhealthy", False)
    assert words in found["error_message"]
    assert len(found["error_message"]) < 300


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (make_answer(PAGE, kind="text/html"), "something else than data"),
        (make_answer({"id": "org.example.tes", "type": {"artifact": "tes"}}), "workflow_type_versions"),
        (make_answer({"workflow_type_versions": "CWL"}), "workflow_type_versions"),
        (make_answer({"detail": "Not authenticated"}, "401 Unauthorized"), "credential"),
        (make_answer(PAGE, "401 Unauthorized", "text/html"), "credential"),
        (LOGIN, "redirects"),
        (lies.flood, "larger than"),
        (lies.drip, "in time"),
        (make_answer({"msg": "down", "status_code": 500}, "500 Internal Server Error"), "500"),
    ],
)
def test_a_workflow_site_is_healthy_by_a_valid_service_info_only(registry: Registry, answer: Any, words: str) -> None:
    found = probe(registry, LyingSite({"/service-info": answer}), api_type="ga4gh")
    assert (found["health_status"], found["is_available"]) == ("unhealthy", False)
    assert words in found["error_message"]


@pytest.mark.parametrize(
    "answer", [make_answer(WES_INFO), make_answer({"msg": "Missing token", "status_code": 401}, "401 Unauthorized")]
)
def test_a_workflow_site_that_describes_itself_or_says_in_its_own_form_that_it_will_not_is_healthy(
    registry: Registry, answer: bytes
) -> None:
    found = probe(registry, LyingSite({"/service-info": answer}), api_type="ga4gh")
    assert (found["health_status"], found["is_available"]) == ("healthy", True)


def test_a_slow_site_is_degraded_and_says_how_slow(start_registry: Any) -> None:
    registry = start_registry(slow_after_ms=0.01)
    found = probe(registry, LyingSite({"/server": GOOD_SERVER, "/counters": GOOD_COUNTERS}))
    assert (found["health_status"], found["is_available"]) == ("degraded", True)
    assert found["error_message"].startswith("Slow: it answered after")


def make_tls(folder: Path, name: str) -> tuple[ssl.SSLContext, str]:
    """(a server's TLS with a certificate for `name` that it has signed itself, the certificate as PEM)."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    names: list[x509.GeneralName] = [x509.DNSName(name)]
    if name[0].isdigit():
        names = [x509.IPAddress(ipaddress.ip_address(name))]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(Encoding.PEM)
    both = folder / "both.pem"
    both.write_bytes(pem + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    return context, pem.decode()


@pytest.mark.parametrize(
    ("name", "is_known", "status"),
    [("127.0.0.1", True, "healthy"), ("127.0.0.1", False, "unhealthy"), ("other.example.org", True, "unhealthy")],
)
def test_a_site_is_believed_under_a_certificate_that_is_good_for_it(
    registry: Registry, tmp_path: Path, name: str, is_known: bool, status: str
) -> None:
    tls, pem = make_tls(tmp_path, name)
    site = LyingSite({"/server": GOOD_SERVER, "/counters": GOOD_COUNTERS})
    found = probe(registry, site, tls, ca_pem=pem if is_known else None)
    assert found["health_status"] == status
    if status == "unhealthy":
        assert "certificate could not be verified" in found["error_message"]
        assert not site.hits


def test_a_site_without_tls_at_an_https_address_is_unhealthy(registry: Registry) -> None:
    with run_lying_site(LyingSite({"/server": GOOD_SERVER})) as url:
        document = registry.describe_site(base_url=url.replace("http:", "https:"), api_config=SHORT)
        found = registry.wait_for_check(registry.store(document), within_s=60)
    assert found["health_status"] == "unhealthy"
    assert found["error_message"]
