"""One whole platform, started as its users start it, for all tests of this folder."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from imputehub.client import Client
from imputehub.local.overview import list_processes
from imputehub.local.ports import DEFAULT_PORTS
from tests.e2e.chromium import launch_chromium
from tests.e2e.visits import Visit, open_visit


@dataclass(frozen=True)
class Platform:
    home: Path
    environ: dict[str, str]

    def command(self, *words: str, person: Path | None = None, check: bool = True) -> subprocess.CompletedProcess[str]:
        """`imputehub` in a process of its own; `person`: the folder with that person's log-in."""
        environ = self.environ | ({"XDG_CONFIG_HOME": str(person)} if person else {})
        with self.start(*words, environ=environ) as process:
            return finish(process, check=check)

    def start(self, *words: str, environ: dict[str, str] | None = None) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "imputehub", *words]
        pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        return subprocess.Popen(command, env=environ or self.environ, **pipes)

    @property
    def credentials(self) -> dict[str, Any]:
        known: dict[str, Any] = json.loads((self.home / "credentials.json").read_text())
        return known

    @property
    def newcomer_token(self) -> str:
        """For the sandbox's Cloudgene site, as the demonstration gave it out: a new one would end those in use."""
        token: str = json.loads((self.home / "sandbox" / "newcomer.json").read_text())["token"]
        return token

    def log_in(self, name: str) -> Client:
        client = Client(self.credentials["gateway_url"])
        client.log_in(**self.credentials["accounts"][name])
        return client

    def processes(self) -> dict[str, dict[str, Any]]:
        """As `imputehub status --json` lists them, without its start: tests ask again and again."""
        return {process["name"]: process for process in list_processes(self.home)}


def finish(process: subprocess.Popen[str], *, check: bool = True) -> subprocess.CompletedProcess[str]:
    stdout, stderr = process.communicate()
    if check and process.returncode != 0:
        raise AssertionError(f"{process.args!r}\n{stdout}\n{stderr}")
    return subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    home = tmp_path_factory.mktemp("platform") / "state"
    ports = {f"IMPUTEHUB_PORT_{name.upper()}": "0" for name in DEFAULT_PORTS}
    # An engine that every machine has, and a watch that notices within a test's patience what dies.
    chosen = {"SANDBOX_ENGINE": "lshmm", "MONITORING_PROBE_INTERVAL_S": "5", "COLUMNS": "200"}
    environ = {**os.environ, **ports, **chosen, "IMPUTEHUB_HOME": str(home)}
    platform = Platform(home, environ)
    platform.command("up", "--detach")
    try:
        yield platform
    finally:
        platform.command("down")


@pytest.fixture(scope="session", autouse=True)
def demonstration(platform: Platform, request: pytest.FixtureRequest) -> Iterator[subprocess.Popen[str] | None]:
    """It takes a minute, in which there are tests that do not need it. Not begun where no test does."""
    if not any("demo" in getattr(item, "fixturenames", ()) for item in request.session.items):
        yield None
        return
    with platform.start("demo") as process:
        yield process
        process.kill()  # without effect on one that has ended


@pytest.fixture(scope="session")
def demo(demonstration: subprocess.Popen[str]) -> str:
    """What the demonstration said: it leaves a catalogue, a cohort and a finished job behind."""
    return finish(demonstration).stdout


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One for each module: Playwright's event loop must be gone before tests elsewhere run theirs."""
    with launch_chromium() as browser:
        yield browser


@pytest.fixture
def visit(chromium: Browser, platform: Platform, tmp_path: Path) -> Visit:
    """`with visit() as page`: somebody opens a window on the platform (`open_visit` tells the options)."""
    return partial(open_visit, chromium, platform.credentials["gateway_url"], tmp_path)
