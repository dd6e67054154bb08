"""`/admin/microservices/`: what staff see of our own services."""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest
from django.conf import settings
from django.test.utils import override_settings

from django_app.config import probing
from microservices.kernel.testing import serve_app
from tests.django_app.conftest import House

PAGE = "/admin/microservices/"
METRICS = """
process_start_time_seconds {start}
process_resident_memory_bytes 1.048576e+08
http_requests_total{{method="GET",route="/api/v1/jobs",status="200"}} 3.0
http_requests_total{{method="GET",route="/api/v1/jobs",status="503"}} 1.0
http_requests_total{{method="GET",route="/health",status="200"}} 96.0
"""
DEPENDENCIES = {"database": {"status": "down", "error": "OperationalError: <no> server"}, "broker": {"status": "ok"}}


def build_service(ready: bool, hangs: bool = False) -> Any:
    async def answer(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        if hangs:
            while (await receive())["type"] != "http.disconnect":
                pass
            return
        path = scope["path"]
        status = 503 if path == "/health/ready" and not ready else 200
        body = {
            "/health/ready": httpx.Request("POST", "http://x", json={"dependencies": {} if ready else DEPENDENCIES}),
            "/health": httpx.Request("POST", "http://x", json={"version": "1.2.3"}),
            "/metrics": httpx.Request("POST", "http://x", content=METRICS.format(start=time.time() - 7200)),
        }[path].read()
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": body})

    return answer


@pytest.fixture
def platform(house: House) -> Iterator[None]:
    """One service of each sort."""
    away = "http://127.0.0.1:1"
    with ExitStack() as stack:
        urls = {
            "job_processor_url": stack.enter_context(serve_app(build_service(ready=True))),
            "file_manager_url": stack.enter_context(serve_app(build_service(ready=False))),
            "notification_url": stack.enter_context(serve_app(build_service(ready=True))),
            "monitoring_url": away,
            "gateway_url": away,
            "own_url": house.url,
        }
        environment = settings.ENVIRONMENT.model_copy(update=urls)
        stack.enter_context(override_settings(ENVIRONMENT=environment))
        yield


def read_rows(page: str) -> dict[str, list[str]]:
    """Service → the texts of its cells."""
    rows = re.findall(r"<tr.*?</tr>", page, re.DOTALL)[1:]
    cells = [re.findall(r"<t[hd].*?</t[hd]>", row, re.DOTALL) for row in rows]
    texts = [[re.sub(r"<[^>]*>|\s+", " ", cell).strip() for cell in row] for row in cells]
    return {row[0]: row[1:] for row in texts}


@pytest.mark.usefixtures("platform")
def test_every_service_is_shown_as_it_is_and_none_delays_the_others(
    browser: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probing, "_TIMEOUT_S", 3.0)
    with serve_app(build_service(ready=True, hangs=True)) as url:
        environment = settings.ENVIRONMENT.model_copy(update={"notification_url": url})
        with override_settings(ENVIRONMENT=environment):
            page = browser.get(PAGE)
    assert page.headers["Cache-Control"].startswith("max-age=0")
    rows = read_rows(page.text)
    assert set(rows) == {*settings.ENVIRONMENT.service_urls, "django_worker", "postgresql", "valkey"}
    state, version, latency, errors, memory, uptime, restarts, wrong = rows["job_processor"]
    assert (state, version, errors, memory, restarts, wrong) == ("ready", "1.2.3", "25.00 %", "100.0 MB", "–", "–")
    assert latency.endswith(" ms")
    assert uptime.startswith("2:0")
    assert rows["file_manager"][0] == "unready"
    assert rows["file_manager"][-1] == "database: OperationalError: &lt;no&gt; server"
    assert rows["notification"][0] == "down"
    assert rows["notification"][-1] == "no answer within 3 s"
    assert rows["monitoring"][:6] == ["down", "–", "–", "–", "–", "–"]
    assert rows["monitoring"][-1].startswith("cannot be reached: ")
    assert rows["django"][0] == "ready"
    ready = sum(cells[0] == "ready" for cells in rows.values())
    assert f"{ready} of 11 are ready" in page.text


@pytest.mark.usefixtures("platform")
def test_what_all_stand_on_is_asked_too(browser: httpx.Client) -> None:
    rows = read_rows(browser.get(PAGE).text)
    assert rows["postgresql"][0] == rows["valkey"][0] == "ready"
    assert rows["postgresql"][1].startswith("1")
    assert rows["valkey"][4].endswith("B")
    assert (rows["django_worker"][0], rows["django_worker"][-1]) == ("down", "no answer within 5 s")


@pytest.mark.usefixtures("platform")
def test_the_page_refreshes_itself_by_a_script_of_ours(browser: httpx.Client) -> None:
    page = browser.get(PAGE).text
    assert re.search(r'data-refresh-every="\d+"', page)
    assert '<script src="/admin/static/imputation/refresh.js" defer>' in page
    for name in ("refresh.js", "restarting.js", "console.css"):
        assert browser.get(f"/admin/static/imputation/{name}").status_code == 200


@pytest.mark.usefixtures("platform")
def test_without_a_supervisor_the_page_says_how_to_in_that_deployment(log_in: Callable[[str], httpx.Client]) -> None:
    admin = log_in("admin@example.org")
    page = admin.get(PAGE).text
    assert "docker compose -f docker-compose.microservices.yml restart" in page
    assert "kubectl rollout restart deployment/job-processor" in page
    assert f"{PAGE}job_processor/" not in page
    assert admin.get(f"{PAGE}job_processor/logs/").status_code == 404
    assert admin.get(f"{PAGE}job_processor/restart/").status_code == 404
    environment = settings.ENVIRONMENT.model_copy(update={"kubernetes_host": "10.0.0.1"})
    with override_settings(ENVIRONMENT=environment):
        assert "docker compose" not in admin.get(PAGE).text


def test_the_page_is_for_staff_and_in_the_side_bar(house: House, log_in: Callable[[str], httpx.Client]) -> None:
    assert f'href="{PAGE}"' in log_in("curator@example.org").get("/admin/").text
    assert "Log in" in log_in("researcher@example.org").get(PAGE).text
    assert httpx.get(f"{house.url}{PAGE}").status_code == 302


def test_the_side_bar_shows_what_a_person_may_open(log_in: Callable[[str], httpx.Client]) -> None:
    curator, admin = log_in("curator@example.org").get("/admin/").text, log_in("admin@example.org").get("/admin/").text
    for path in (
        "/admin/imputation/imputationservice/",
        "/admin/imputation/referencepanel/",
        "/admin/outbox/delivery/",
    ):
        assert f'href="{path}"' in curator
    assert 'href="/admin/auth/user/"' not in curator
    assert 'href="/admin/auth/user/"' in admin


def test_numbers_that_a_service_does_not_tell_are_left_out() -> None:
    assert probing.read_usage("") == probing.Usage()
    with pytest.raises(ValueError, match=r"."):
        probing.read_usage("<html>not metrics</html>")
