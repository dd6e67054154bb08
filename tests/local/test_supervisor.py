"""The supervisor as a process of its own, with real databases and small servers in the services' places."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from imputehub.local.control import ask_supervisor
from imputehub.local.errors import LocalPlatformError
from imputehub.local.ports import DEFAULT_PORTS, name_variable
from imputehub.local.survivors import Record, end_survivors, is_alive
from imputehub.local.unprivileged import make_server_directory
from tests.waiting import wait_until

FREE_PORTS = {name_variable(name): "0" for name in DEFAULT_PORTS}
PROGRAM = Path(__file__).with_name("small_platform.py")


class Platform:
    """A state directory and the supervisor that the test runs on it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.process: subprocess.Popen[str] | None = None

    def up(self, **variables: str) -> list[str]:
        """Starts it; what it said until it was ready or gave up."""
        self.process = subprocess.Popen(
            [sys.executable, str(PROGRAM), str(self.home)],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **FREE_PORTS, **variables},
        )
        said: list[str] = []
        for line in self.process.stdout or ():
            said.append(line.strip())
            if line.strip() == "READY":
                break
        return said

    def end(self, number: signal.Signals) -> None:
        assert self.process
        self.process.send_signal(number)
        self.process.wait(30)
        if self.process.stdout:
            self.process.stdout.close()

    def status(self) -> dict[str, dict[str, Any]]:
        return {one["name"]: one for one in ask_supervisor(self.home, "status")["processes"]}

    def run_cli(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, **FREE_PORTS, "IMPUTEHUB_HOME": str(self.home), **variables}
        command = [sys.executable, "-m", "imputehub", *arguments]
        return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60)

    def stop(self) -> None:
        if self.process and self.process.poll() is None:
            self.end(signal.SIGTERM)
        if self.home.exists():
            end_survivors(self.home)

    def clear(self) -> None:
        self.stop()
        shutil.rmtree(make_server_directory(self.home / "postgresql"))


def make_platform(directory: Path) -> Iterator[Platform]:
    platform = Platform(directory)
    yield platform
    platform.clear()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """A platform that tests share and leave ready. Its path is too long for a Unix socket."""
    for platform in make_platform(tmp_path_factory.mktemp("platform") / ("long" * 25)):
        assert platform.up()[-1] == "READY"
        yield platform


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    yield from make_platform(tmp_path_factory.mktemp("stopped") / "home")


@pytest.fixture
def stopped(shared: Platform) -> Iterator[Platform]:
    """A platform that does not run; it may have run before, which spares each test the making of databases."""
    yield shared
    shared.stop()


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Platform]:
    yield from make_platform(tmp_path / "home")


def is_back(platform: Platform, name: str, old_pid: int) -> bool:
    process = platform.status()[name]
    return process["state"] == "ready" and process["pid"] not in (None, old_pid)


def test_status_in_json_lists_every_process_with_its_fields(running: Platform) -> None:
    listed = json.loads(running.run_cli("status", "--json").stdout)
    assert [(one["name"], one["kind"], one["state"]) for one in listed] == [
        ("postgresql", "database", "ready"),
        ("valkey", "cache", "ready"),
        ("file_manager", "service", "ready"),
        ("job_worker", "worker", "ready"),
    ]
    for one in listed:
        assert set(one) == {"name", "kind", "pid", "state", "port", "memory_mb", "restarts"}
        assert psutil.pid_exists(one["pid"])
        assert one["memory_mb"] > 1


@pytest.mark.parametrize("name", ["file_manager", "job_worker", "valkey", "postgresql"])
def test_a_killed_process_is_brought_back_at_once_and_gets_ready(running: Platform, name: str) -> None:
    before = running.status()[name]
    os.kill(before["pid"], signal.SIGKILL)
    wait_until(lambda: is_back(running, name, before["pid"]))
    assert running.status()[name]["restarts"] == before["restarts"] + 1


def test_a_second_up_says_that_it_runs_already_and_succeeds(running: Platform) -> None:
    before = running.status()
    for arguments in (["up"], ["up", "--detach"]):
        result = running.run_cli(*arguments)
        assert result.returncode == 0
        assert "already running" in result.stdout
    assert {name: one["pid"] for name, one in running.status().items()} == {
        name: one["pid"] for name, one in before.items()
    }


def test_a_stopped_process_stays_stopped_until_it_is_started(running: Platform) -> None:
    assert running.run_cli("stop", "file_manager").returncode == 0
    stopped = running.status()["file_manager"]
    assert (stopped["state"], stopped["pid"]) == ("stopped", None)
    assert running.run_cli("start", "file_manager").returncode == 0
    started = running.status()["file_manager"]
    assert (started["state"], started["restarts"]) == ("ready", stopped["restarts"])
    assert running.run_cli("restart", "file_manager").returncode == 0
    assert is_back(running, "file_manager", started["pid"])


def test_an_unknown_process_is_named_with_those_that_exist(running: Platform) -> None:
    result = running.run_cli("restart", "file_manger")
    assert result.returncode == 1
    assert "no process file_manger" in result.stderr
    assert "file_manager" in result.stderr


def test_logs_show_what_a_process_wrote(running: Platform) -> None:
    assert "ready to accept connections" in running.run_cli("logs", "postgresql").stdout
    assert "postgresql" in running.run_cli("logs").stdout
    assert running.run_cli("logs", "nothing").returncode == 1


def test_the_state_is_its_owners_alone(running: Platform) -> None:
    assert running.home.stat().st_mode & 0o777 == 0o700
    for name in ("secrets.json", "credentials.json", "sandbox/accounts.json", "control.json"):
        assert (running.home / name).stat().st_mode & 0o777 == 0o600
    socket = Path(json.loads((running.home / "control.json").read_text())["socket"])
    assert socket.stat().st_mode & 0o777 == 0o600
    assert socket.parent.stat().st_mode & 0o777 == 0o700


def test_the_control_socket_refuses_another_token(running: Platform, tmp_path: Path) -> None:
    (tmp_path / "control.json").write_text((running.home / "control.json").read_text())
    (tmp_path / "secrets.json").write_text('{"control": "guessed"}')
    with pytest.raises(LocalPlatformError, match="token"):
        ask_supervisor(tmp_path, "down")
    assert running.status()


def test_survivors_of_a_killed_supervisor_are_ended_by_the_next_start_and_strangers_are_not(
    stopped: Platform,
) -> None:
    stopped.up()
    left = {name: psutil.Process(one["pid"]) for name, one in stopped.status().items()}
    stopped.end(signal.SIGKILL)
    assert all(is_alive(process) for process in left.values())
    records: list[Record] = json.loads((stopped.home / "processes.json").read_text())
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as stranger:
        worker = next(record for record in records if record["name"] == "job_worker")
        recycled = {**worker, "name": "notification", "pid": stranger.pid}
        (stopped.home / "processes.json").write_text(json.dumps([*records, recycled]))
        said = stopped.up()
        assert said[-1] == "READY"
        assert all(name in said[0] for name in left)
        assert "notification" not in said[0]
        assert not any(is_alive(process) for process in left.values())
        assert stranger.poll() is None
        stranger.kill()


def test_status_tells_what_a_killed_supervisor_left_and_how_to_end_it(stopped: Platform) -> None:
    stopped.up()
    left = {name: one["pid"] for name, one in stopped.status().items()}
    stopped.end(signal.SIGKILL)
    told = json.loads(stopped.run_cli("status", "--json").stdout)
    assert {one["name"]: one["pid"] for one in told if one["state"] == "left running"} == left
    shown = stopped.run_cli("status").stdout
    assert "The supervisor was killed" in shown
    assert "`imputehub down` ends them" in shown
    stopped.run_cli("down")
    assert "killed" not in stopped.run_cli("status").stdout
    assert {one["state"] for one in json.loads(stopped.run_cli("status", "--json").stdout)} == {"stopped"}


def test_a_child_that_was_never_noted_is_ended_too(stopped: Platform) -> None:
    stopped.up()
    left = [psutil.Process(one["pid"]) for one in stopped.status().values()]
    stopped.end(signal.SIGKILL)
    (stopped.home / "processes.json").unlink()
    end_survivors(stopped.home)
    assert not any(is_alive(process) for process in left)


def test_down_ends_everything_also_what_a_killed_supervisor_left(stopped: Platform) -> None:
    stopped.up()
    left = [psutil.Process(one["pid"]) for one in stopped.status().values()]
    stopped.end(signal.SIGKILL)
    assert "has stopped" in stopped.run_cli("down").stdout
    assert not any(is_alive(process) for process in left)
    assert "was not running" in stopped.run_cli("down").stdout


def test_half_made_state_of_an_interrupted_start_is_completed(fresh: Platform) -> None:
    directory = make_server_directory(fresh.home / "postgresql")
    (directory / "pgdata").mkdir(parents=True)
    (directory / "pgdata" / "PG_VERSION").write_text("18\n")
    (directory / ".initdb-half").mkdir()
    fresh.home.mkdir(exist_ok=True)
    (fresh.home / "secrets.json").write_text('{"postgresql": "abc')
    assert fresh.up()[-1] == "READY"
    fresh.end(signal.SIGTERM)
    assert not list(directory.glob(".initdb*"))
    assert (fresh.home / "marks").read_text() == "migrated\n"


def test_a_terminated_supervisor_takes_its_children_along_and_starts_again_on_the_same_ports(
    stopped: Platform,
) -> None:
    stopped.up()
    before = stopped.status()
    children = [psutil.Process(one["pid"]) for one in before.values()]
    stopped.end(signal.SIGTERM)
    assert not any(is_alive(process) for process in children)
    assert stopped.up()[-1] == "READY"
    assert {name: one["port"] for name, one in stopped.status().items()} == {
        name: one["port"] for name, one in before.items()
    }


def test_a_service_that_cannot_start_is_named_with_the_end_of_its_log(stopped: Platform) -> None:
    said = "\n".join(stopped.up(BROKEN="yes"))
    assert "ERROR monitoring does not stay up: it ended with exit code 3" in said
    assert "the panel list is unreadable" in said
    assert stopped.process
    assert stopped.process.wait(60) == 1
    assert json.loads((stopped.home / "processes.json").read_text()) == []
