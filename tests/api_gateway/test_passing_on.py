"""What arrives at a service, and what arrives at the client."""

import hashlib
from collections.abc import Callable, Iterator

import httpx
import pytest

from microservices.api_gateway.main import build
from microservices.api_gateway.settings import Settings
from microservices.kernel.testing import serve_app
from tests.api_gateway.stubs import CHUNK, EchoService


def headers_of(answer: httpx.Response) -> list[tuple[str, str]]:
    return [(name, value) for name, value in answer.json()["headers"]]


@pytest.mark.parametrize(
    ("path", "setting"),
    [
        ("/api/v1/auth/token", "authority_url"),
        ("/api/v1/users/me", "authority_url"),
        ("/api/v1/audit-logs", "authority_url"),
        ("/.well-known/jwks.json", "authority_url"),
        ("/api/v1/services", "service_registry_url"),
        ("/api/v1/panels/x", "service_registry_url"),
        ("/api/v1/curation/services/", "django_url"),
        ("/admin/", "django_url"),
        ("/ga4gh/service-registry/v1/services", "service_registry_url"),
        ("/api/v1/files", "file_manager_url"),
        ("/api/v1/jobs", "job_processor_url"),
        ("/api/v1/job-templates", "job_processor_url"),
        ("/api/v1/notifications", "notification_url"),
        ("/api/v1/monitoring/overview", "monitoring_url"),
        ("/api/v1/stats", "monitoring_url"),
    ],
)
def test_each_address_is_answered_by_its_service(
    make_settings: Callable[..., Settings], path: str, setting: str
) -> None:
    other = EchoService()
    with serve_app(other) as url, serve_app(build(make_settings(**{setting: url}))) as gateway:
        assert httpx.get(gateway + path).json()["path"] == path
    assert [seen["path"] for seen in other.seen] == [path]


def test_path_and_query_arrive_as_they_were_written(http: httpx.Client, echo: EchoService) -> None:
    http.get(httpx.URL(str(http.base_url)).copy_with(raw_path=b"/api/v1/jobs/a%20b+c?q=%2Fx%20y&q=&a=b+c"))
    assert (echo.seen[0]["path"], echo.seen[0]["query"]) == ("/api/v1/jobs/a%20b+c", "q=%2Fx%20y&q=&a=b+c")


def test_a_client_cannot_say_whom_it_is_forwarded_for(http: httpx.Client) -> None:
    lies = {
        "X-Forwarded-For": "6.6.6.6",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "evil.example.org",
        "X-Forwarded-Port": "666",
        "Forwarded": "for=6.6.6.6",
        "X-Real-IP": "6.6.6.6",
        "X_Forwarded_For": "6.6.6.6",
    }
    received = headers_of(http.get("/api/v1/jobs", headers=lies))
    told = {name: value for name, value in received if "forward" in name or "real" in name}
    host = f"{http.base_url.host}:{http.base_url.port}"
    assert told == {"x-forwarded-for": "127.0.0.1", "x-forwarded-proto": "http", "x-forwarded-host": host}
    assert dict(received)["host"] == host
    assert [name for name, _ in received].count("x-forwarded-for") == 1


def test_headers_of_one_connection_stay_on_it(http: httpx.Client) -> None:
    mine = {"Connection": "keep-alive, X-Mine", "X-Mine": "1", "TE": "trailers", "Keep-Alive": "timeout=9"}
    received = dict(headers_of(http.get("/api/v1/jobs", headers=mine)))
    assert not {"x-mine", "te", "keep-alive", "upgrade"} & received.keys()
    assert "x-mine" not in received.get("connection", "")


def test_cookies_and_redirects_arrive_unharmed(http: httpx.Client) -> None:
    answer = http.get("/api/v1/jobs/cookies")
    assert (answer.status_code, answer.headers["location"]) == (302, "/admin/login/?next=/admin/")
    assert answer.headers.get_list("set-cookie") == ["a=1; Path=/; HttpOnly", "b=2; Path=/"]
    assert "x-private" not in answer.headers
    assert "keep-alive" not in answer.headers
    assert len(answer.headers.get_list("date")) == 1


def test_nothing_is_unpacked_on_the_way(http: httpx.Client) -> None:
    with http.stream("GET", "/api/v1/jobs/packed") as answer:
        assert answer.headers["content-encoding"] == "gzip"
        assert b"".join(answer.iter_raw()) == b"not unpacked"


def test_answers_without_a_body_arrive_without_one(http: httpx.Client) -> None:
    unchanged = http.get("/api/v1/jobs/nothing")
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    head = http.head("/api/v1/jobs")
    assert (head.status_code, head.content) == (200, b"")
    assert int(head.headers["content-length"]) > 0


def test_a_length_stays_a_length_and_chunks_stay_chunks(http: httpx.Client) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(8):
            yield CHUNK

    counted = http.post("/api/v1/files", content=chunks(), headers={"Content-Length": str(8 * len(CHUNK))})
    chunked = http.post("/api/v1/files", content=chunks())
    assert dict(headers_of(counted))["content-length"] == str(8 * len(CHUNK))
    assert dict(headers_of(chunked))["transfer-encoding"] == "chunked"
    assert counted.json()["sha256"] == chunked.json()["sha256"] == hashlib.sha256(8 * CHUNK).hexdigest()


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_small_bodies_arrive_with_every_method(http: httpx.Client, method: str) -> None:
    told = http.request(method, "/api/v1/jobs", json={"a": 1}).json()
    assert (told["method"], told["size"]) == (method, 7)


def test_a_request_id_is_passed_on_or_made(http: httpx.Client) -> None:
    given = http.get("/api/v1/jobs", headers={"X-Request-ID": "my-request-0001"})
    assert given.headers["x-request-id"] == dict(headers_of(given))["x-request-id"] == "my-request-0001"
    made = http.get("/api/v1/jobs", headers={"X-Request-ID": "bad id\t!"})
    assert made.headers["x-request-id"] == dict(headers_of(made))["x-request-id"]
    assert len(made.headers["x-request-id"]) == 32
    ours = http.get("/health", headers={"X-Request-ID": "my-request-0002"})
    assert ours.headers.get_list("x-request-id") == ["my-request-0002"]


def test_json_bodies_have_a_limit_and_uploads_have_none(http: httpx.Client, echo: EchoService) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(48):
            yield CHUNK

    for body in (b"x" * (3 * 1024**2), chunks()):
        refused = http.post("/api/v1/jobs", content=body)
        assert (refused.status_code, refused.json()["code"]) == (413, "too_large")
    assert not any(seen["size"] for seen in echo.seen)
    assert http.post("/api/v1/files", content=b"x" * (3 * 1024**2)).json()["size"] == 3 * 1024**2


def test_headers_and_addresses_have_limits(http: httpx.Client) -> None:
    assert http.get("/api/v1/jobs", params={"q": "x" * 9000}).status_code == 414
    assert http.get("/api/v1/jobs", headers={"X-Long": "x" * 33_000}).status_code == 431
    assert http.get("/api/v1/jobs", headers={f"X-{n}": "x" for n in range(101)}).json()["code"] == "headers_too_large"


def test_refusals_of_the_front_door_tell_the_rate_limit_too(http: httpx.Client) -> None:
    too_long = http.get("/api/v1/jobs", params={"q": "x" * 9000})
    for refused in (too_long, http.get("/api/v1/jobs", headers={"X-Long": "x" * 33_000}), http.request("TRACE", "/")):
        assert {"ratelimit", "ratelimit-policy", "x-request-id"} <= set(refused.headers)


def test_unknown_methods_are_refused(http: httpx.Client, echo: EchoService) -> None:
    refused = http.request("TRACE", "/api/v1/jobs")
    assert (refused.status_code, "PATCH" in refused.headers["allow"]) == (405, True)
    assert echo.seen == []


def test_browsers_of_named_origins_only_may_read(make_settings: Callable[..., Settings]) -> None:
    settings = make_settings(cors_origins=["https://hub.example.org"])
    with serve_app(build(settings)) as gateway:
        friend = httpx.get(f"{gateway}/api/v1/jobs", headers={"Origin": "https://hub.example.org"})
        stranger = httpx.get(f"{gateway}/api/v1/jobs", headers={"Origin": "https://evil.example.org"})
    assert friend.headers["access-control-allow-origin"] == "https://hub.example.org"
    assert friend.headers["access-control-allow-credentials"] == "true"
    assert "access-control-allow-origin" not in stranger.headers


def test_every_origin_is_refused_as_a_setting(make_settings: Callable[..., Settings]) -> None:
    with pytest.raises(ValueError, match="name each origin"):
        make_settings(cors_origins=["*"])


def test_requests_beside_each_other_keep_apart(http: httpx.Client) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: http.post(f"/api/v1/jobs/{n}", content=str(n) * 100).json(), range(100)))
    for number, answer in enumerate(answers):
        assert answer["path"] == f"/api/v1/jobs/{number}"
        assert answer["sha256"] == hashlib.sha256((str(number) * 100).encode()).hexdigest()
