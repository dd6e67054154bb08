"""Restarts and logs from `/admin/microservices/`, with a real supervisor behind its real socket."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.test.utils import override_settings

from tests.django_app.browsing import FormReader
from tests.django_app.conftest import House
from tests.django_app.test_microservices_page import PAGE, read_rows
from tests.local.test_supervisor import Platform, is_back, make_platform, wait_until


@pytest.fixture(scope="module")
def supervised(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    for platform in make_platform(tmp_path_factory.mktemp("supervised") / "home"):
        assert platform.up()[-1] == "READY"
        yield platform


@pytest.fixture
def platform(house: House, supervised: Platform) -> Iterator[Platform]:
    """Django is told the console's token, as the supervisor tells it."""
    secrets = json.loads((supervised.home / "secrets.json").read_text())
    with set_supervisor(json.loads((supervised.home / "control.json").read_text())["socket"], secrets["console"]):
        yield supervised


def set_supervisor(socket: str, token: str) -> override_settings:
    environment = settings.ENVIRONMENT
    changes = {"supervisor_socket": socket, "supervisor_token": type(environment.supervisor_token)(token)}
    changes |= dict.fromkeys(
        [f"{name}_url" for name in ("gateway", "monitoring", "notification")], "http://127.0.0.1:1"
    )
    return override_settings(ENVIRONMENT=environment.model_copy(update=changes))


@pytest.fixture
def operator(log_in: Callable[[str], httpx.Client]) -> httpx.Client:
    return log_in("operator@example.org")


def write_log(platform: Platform, name: str, *lines: dict[str, str] | str) -> None:
    with Path(platform.home / "logs" / f"{name}.log").open("a") as log:
        log.writelines(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines)


def test_the_supervisors_processes_are_listed_with_restarts_memory_and_uptime(
    platform: Platform, operator: httpx.Client
) -> None:
    page = operator.get(PAGE).text
    rows = read_rows(page)
    assert {"postgresql", "valkey", "file_manager", "job_worker"} <= set(rows)
    state, _version, _latency, _errors, memory, uptime, restarts, _wrong, links = rows["job_worker"]
    assert (state, restarts, links) == ("ready", "0", "Restart   Logs")
    assert memory.endswith("MB")
    assert uptime.startswith("0:0")
    assert rows["monitoring"][-1] == ""
    assert f'href="{PAGE}postgresql/restart/"' in page


def test_a_restart_is_asked_about_carried_out_and_noted(platform: Platform, operator: httpx.Client) -> None:
    before = platform.status()["job_worker"]
    asked = operator.get(f"{PAGE}job_worker/restart/")
    assert "Restart job_worker?" in asked.text
    assert "taken up again" in asked.text
    assert platform.status()["job_worker"]["pid"] == before["pid"]
    token = FormReader(asked.text).fields["csrfmiddlewaretoken"]
    answer = operator.post(f"{PAGE}job_worker/restart/", data={"csrfmiddlewaretoken": token})
    assert answer.status_code == 200
    assert 'data-service="job_worker"' in answer.text
    assert f'data-back="{PAGE}"' in answer.text
    again = operator.post(f"{PAGE}job_worker/restart/", data={"csrfmiddlewaretoken": token})
    assert "job_worker is not restarted. job_worker is being restarted already." in again.text
    wait_until(lambda: is_back(platform, "job_worker", before["pid"]))
    entry = LogEntry.objects.get()
    assert (entry.user.get_username(), entry.object_repr, entry.change_message) == (
        "operator@example.org",
        "service job_worker",
        "Restarted.",
    )


def test_a_process_that_is_stopped_says_so_and_the_page_looks_more_often(
    platform: Platform, operator: httpx.Client
) -> None:
    platform.run_cli("stop", "job_worker")
    page = operator.get(PAGE).text
    platform.run_cli("start", "job_worker")
    row = read_rows(page)["job_worker"]
    assert row[0] == "stopped"
    assert row[7] == "it was stopped, and stays so until it is started"
    assert 'data-refresh-every="2"' in page


def test_only_operators_and_administrators_restart_and_read_logs(
    platform: Platform, log_in: Callable[[str], httpx.Client]
) -> None:
    curator, admin = log_in("curator@example.org"), log_in("admin@example.org")
    assert "Restarts and logs are for operators and administrators." in curator.get(PAGE).text
    for path in (f"{PAGE}file_manager/restart/", f"{PAGE}file_manager/logs/"):
        assert curator.get(path).status_code == 403
        assert admin.get(path).status_code == 200
    token = FormReader(curator.get("/admin/").text).fields["csrfmiddlewaretoken"]
    refused = curator.post(f"{PAGE}file_manager/restart/", data={"csrfmiddlewaretoken": token})
    assert refused.status_code == 403
    assert admin.post(f"{PAGE}file_manager/restart/").status_code == 403  # without the form's token
    assert not LogEntry.objects.exists()


def test_what_does_not_exist_is_not_restarted(platform: Platform, operator: httpx.Client) -> None:
    assert operator.get(f"{PAGE}nothing/restart/").status_code == 404
    assert "There is no log nothing" in operator.get(f"{PAGE}nothing/logs/").text


def test_logs_are_shown_newest_first_and_narrowed_down(platform: Platform, operator: httpx.Client) -> None:
    write_log(
        platform,
        "file_manager",
        {"event": "first", "level": "info", "timestamp": "2026-11-22T12:00:00.123456Z", "request_id": "abc-12345"},
        {"event": "second", "level": "error", "exception": "KeyError: <script>", "request_id": "def-67890"},
        {"event": "third", "level": "info", "path": "/api/v1/files"},
    )
    logs = f"{PAGE}file_manager/logs/"
    text = operator.get(logs).text
    places = [text.index(f">{word}</strong>") for word in ("third", "second", "first")]
    assert places == sorted(places)
    assert "2026-11-22 12:00:00.123" in text
    assert "&lt;script&gt;" in text
    assert "<script>K" not in text

    def find(**query: str) -> list[str]:
        page = operator.get(logs, params=query).text
        return [word for word in ("first", "second", "third") if f">{word}</strong>" in page]

    assert find(level="error") == ["second"]
    assert find(text="API/V1") == ["third"]
    assert find(request_id="abc-12345") == ["first"]
    assert find(request_id="abc-12345", level="error") == []
    assert 'href="?request_id=abc-12345"' in text


def test_pages_of_a_log_lead_back_in_time(platform: Platform, operator: httpx.Client) -> None:
    write_log(platform, "valkey", *({"event": f"tick {number:03}", "level": "debug"} for number in range(150)))
    first = operator.get(f"{PAGE}valkey/logs/?text=tick").text
    assert "tick 149" in first
    assert "tick 049" not in first
    older = first.split('">Older</a>')[0].rpartition('href="')[2].replace("&amp;", "&")
    second = operator.get(f"{PAGE}valkey/logs/{older}").text
    assert "tick 049" in second
    assert "tick 050" not in second
    assert '">Newest</a>' in second
    assert "data-refresh-every" not in second


@pytest.mark.parametrize("query", [{"level": "loud"}, {"before": "../x"}, {"text": "x" * 201}, {"text": "a\x00"}])
def test_a_search_that_cannot_be_meant_is_no_fault_of_ours(
    platform: Platform, operator: httpx.Client, query: dict[str, str]
) -> None:
    assert operator.get(f"{PAGE}valkey/logs/", params=query).status_code == 200


def test_a_supervisor_that_is_gone_is_said_and_delays_nothing(
    house: House, operator: httpx.Client, tmp_path: Path
) -> None:
    with set_supervisor(str(tmp_path / "nothing.sock"), "token"):
        page = operator.get(PAGE).text
        assert "The local supervisor does not answer." in page
        assert read_rows(page)["postgresql"][0] == "ready"
        assert "does not answer" in operator.get(f"{PAGE}django/logs/").text
        assert (
            "django is not restarted. The local supervisor does not answer."
            in operator.get(f"{PAGE}django/restart/").text
        )
