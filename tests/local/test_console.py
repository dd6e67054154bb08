"""What the admin's pages may ask of the supervisor, with their own token."""

import json
import socket
from pathlib import Path
from typing import Any

import psutil
import pytest

from imputehub.local.credentials import load_secrets
from imputehub.local.table import Installation, describe_django, describe_worker
from tests.local.test_supervisor import Platform, is_back, make_platform
from tests.waiting import wait_until


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Any:
    for platform in make_platform(tmp_path_factory.mktemp("console") / "home"):
        assert platform.up()[-1] == "READY"
        yield platform


def ask(platform: Platform, token: str = "console", **question: Any) -> dict[str, Any]:
    path = json.loads((platform.home / "control.json").read_text())["socket"]
    token = json.loads((platform.home / "secrets.json").read_text()).get(token, token)
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(30)
        connection.connect(path)
        connection.sendall(json.dumps({"token": token, **question}).encode() + b"\n")
        answer: dict[str, Any] = json.loads(connection.makefile("rb").readline())
    return answer


def test_the_console_sees_every_process_and_since_when_it_runs(running: Platform) -> None:
    answer = ask(running, verb="status")
    names = ["postgresql", "valkey", "file_manager", "job_worker"]
    assert [process["name"] for process in answer["processes"]] == names
    assert list(answer["uptime_s"]) == names
    assert all(0 <= seconds < 300 for seconds in answer["uptime_s"].values())


@pytest.mark.parametrize("verb", ["down", "stop", "start", "anything", ""])
def test_the_console_may_neither_end_the_platform_nor_stop_a_process(running: Platform, verb: str) -> None:
    assert "not for" in ask(running, verb=verb, name="file_manager")["error"]
    assert ask(running, "guessed", verb="status") == {"error": "The token is not this platform's"}
    assert {process["state"] for process in running.status().values()} == {"ready"}


def test_a_restart_is_answered_first_and_comes_then(running: Platform) -> None:
    """It comes a second later: what is asked in between may not take long."""
    before = running.status()["file_manager"]
    answers = [ask(running, verb="restart", name="file_manager", answer_first=True) for _ in range(2)]
    assert psutil.pid_exists(before["pid"])
    assert answers == [{}, {"error": "file_manager is being restarted already"}]
    wait_until(lambda: is_back(running, "file_manager", before["pid"]))
    assert "no process nothing" in ask(running, verb="restart", name="nothing", answer_first=True)["error"]


def test_the_console_reads_logs_newest_first(running: Platform) -> None:
    answer = ask(running, verb="logs", name="postgresql", limit=2)
    assert len(answer["entries"]) == 2
    assert answer["older"]
    found = ask(running, verb="logs", name="postgresql", text="READY to accept", level="info")["entries"]
    assert any("database system is ready to accept connections" in entry["event"] for entry in found)
    assert "There is no log" in ask(running, verb="logs", name="../secrets")["error"]
    assert "no level" in ask(running, verb="logs", name="valkey", level="loud")["error"]


@pytest.mark.parametrize("line", [b"not json\n", b"[]\n", b'{"token": 1}\n', b"\n", b"x" * 200_000 + b"\n"])
def test_what_is_not_understood_harms_nobody(running: Platform, line: bytes) -> None:
    path = json.loads((running.home / "control.json").read_text())["socket"]
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(30)
        connection.connect(path)
        connection.sendall(line)
        connection.makefile("rb").readline()
    assert ask(running, verb="status")["phase"] == "running"


def test_only_djangos_web_process_is_told_the_consoles_token(tmp_path: Path) -> None:
    secrets = load_secrets(tmp_path, has_data=False)
    ports = dict.fromkeys(("django", "postgresql", "valkey", "api_gateway"), 4000)
    ports |= dict.fromkeys(("user_service", "service_registry", "job_processor", "file_manager"), 4001)
    ports |= dict.fromkeys(("notification", "monitoring"), 4002)
    site = Installation(tmp_path, tmp_path / "pgdata", secrets, ports, {})
    web = describe_django(site).environment
    assert web["SUPERVISOR_TOKEN"] == secrets["console"] != secrets["control"]
    assert web["SUPERVISOR_SOCKET"] == str(tmp_path / "control.sock")
    assert secrets["control"] not in web.values()
    worker = describe_worker(site, "django_worker", "django", "django_app.config.celery:app").environment
    assert secrets["console"] not in worker.values()
