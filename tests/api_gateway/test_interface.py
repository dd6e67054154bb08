"""The built user interface at `/`, beside all that is not it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from microservices.api_gateway.main import build
from microservices.api_gateway.settings import Settings
from microservices.kernel.testing import TokenAuthority, serve_app
from tests.api_gateway.stubs import EchoService

INDEX = "<!doctype html><title>Hub</title>"
SCRIPT = "console.log('hub');" * 200


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("frontend") / "dist"
    (directory / "assets").mkdir(parents=True)
    (directory / "index.html").write_text(INDEX)
    (directory / "favicon.svg").write_text("<svg/>")
    (directory / "assets" / "index-B4x_9-kQ.js").write_text(SCRIPT)
    (directory / ".env").write_text("hidden")
    (directory.parent / "secret.txt").write_text("secret")
    (directory / "way-out.txt").symlink_to(directory.parent / "secret.txt")
    return directory


@pytest.fixture(scope="module")
def address(make_settings: Callable[..., Settings], built: Path) -> Iterator[str]:
    with serve_app(build(make_settings(ui_dir=built)), proxy_headers=False) as url:
        yield url


@pytest.fixture
def browser(address: str, echo: EchoService) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=address, timeout=60, trust_env=False) as client:
        yield client


@pytest.mark.parametrize(
    "path", ["/", "/jobs", "/jobs/0b8f3f5e-7c9d-4c56-9f42-1f1f0e2b7a11", "/login?next=/jobs", "/sites/"]
)
def test_every_page_of_the_interface_is_its_index(browser: httpx.Client, path: str) -> None:
    answer = browser.get(path)
    assert (answer.status_code, answer.text) == (200, INDEX)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"


def test_pages_run_no_script_but_ours(browser: httpx.Client) -> None:
    headers = browser.get("/").headers
    policy = dict(rule.strip().split(" ", 1) for rule in headers["content-security-policy"].split(";"))
    assert (policy["default-src"], policy["script-src"], policy["connect-src"]) == ("'self'", "'self'", "'self'")
    assert (policy["object-src"], policy["frame-ancestors"], policy["base-uri"]) == ("'none'", "'none'", "'none'")
    assert headers["x-content-type-options"] == "nosniff"


def test_files_named_by_their_content_are_kept_for_ever_and_others_asked_for_again(browser: httpx.Client) -> None:
    script = browser.get("/assets/index-B4x_9-kQ.js")
    assert (script.text, script.headers["content-encoding"]) == (SCRIPT, "gzip")
    assert script.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert script.headers["content-type"].startswith("text/javascript")
    plain = browser.get("/assets/index-B4x_9-kQ.js", headers={"Accept-Encoding": "identity"})
    assert (plain.text, "content-encoding" in plain.headers) == (SCRIPT, False)
    assert browser.get("/favicon.svg").headers["cache-control"] == "no-cache"


def test_what_a_browser_has_is_not_sent_again(browser: httpx.Client) -> None:
    first = browser.get("/")
    again = browser.get("/", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    head = browser.head("/")
    assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", str(len(INDEX)))


@pytest.mark.parametrize(
    "path",
    [
        *(
            "/internal/events",
            "/INTERNAL/events",
            "/metrics",
            "/Metrics",
            "/api",
            "/api/v1",
            "/api/v1/nothing",
            "/.well-known/x",
        ),
        *("/health/x", "/docs/x", "/openapi.json/x", "//metrics", "/./metrics", "/%6detrics", "/jobs/%2e%2e/metrics"),
        *("/assets/missing-12345678.js", "/assets", "/robots.txt", "/.env", "/way-out.txt", "/../secret.txt"),
        *("/..%2fsecret.txt", "/assets/..%2f..%2fsecret.txt", "/assets/..\\..\\secret.txt", "/assets/"),
    ],
)
def test_what_is_no_page_is_not_found(address: str, browser: httpx.Client, echo: EchoService, path: str) -> None:
    answer = browser.get(httpx.URL(address).copy_with(raw_path=path.encode()))
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    assert echo.seen == []


def test_pages_are_read_and_nothing_else(browser: httpx.Client) -> None:
    assert [browser.request(method, "/jobs").status_code for method in ("POST", "PUT", "DELETE")] == [404] * 3


def test_own_addresses_and_services_stay_reachable(browser: httpx.Client, authority: TokenAuthority) -> None:
    assert browser.get("/health").json()["status"] == "ok"
    assert "openapi" in browser.get("/openapi.json").json()
    assert browser.get("/api/v1/jobs", headers=authority.person()).json()["path"] == "/api/v1/jobs"
    assert browser.get("/admin/").json()["path"] == "/admin/"


def test_pages_do_not_count_against_the_limit(browser: httpx.Client, authority: TokenAuthority) -> None:
    headers = authority.person(tier="five")
    for path in ("/", "/jobs", "/assets/index-B4x_9-kQ.js") * 3:
        assert browser.get(path, headers=headers).status_code == 200
    assert [browser.get("/api/v1/jobs", headers=headers).status_code for _ in range(6)] == [200] * 5 + [429]


def test_a_new_build_is_served_and_none_is_not_found(make_settings: Callable[..., Settings], tmp_path: Path) -> None:
    directory = tmp_path / "dist"
    with serve_app(build(make_settings(ui_dir=directory))) as url:
        assert httpx.get(url).json()["code"] == "not_found"
        directory.mkdir()
        for words in ("one", "another"):
            (directory / "next.html").write_text(words)
            (directory / "next.html").replace(directory / "index.html")
            assert httpx.get(url).text == words
