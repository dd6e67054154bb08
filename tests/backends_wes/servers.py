"""WES servers that other people wrote, running, and what a run at each of them is made of."""

import asyncio
import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import httpx
import pytest

from imputehub.local.children import find_free_port
from microservices.backends.base import SiteJob, SiteUnavailableError, Submission
from microservices.backends.ga4gh_wes import WesBackend
from sandbox.simulator import Simulation
from tests.backends.runs import input_file
from tests.backends_wes.wes_stub import open_wes, recipe, run
from tests.sandbox_wes.wes_site import VENV, RunningWes, require_sapporo
from tests.waiting import wait_until

Kind = Literal["good", "failing", "slow"]
START_SECONDS = 40
POLL_S = 0.1
RECIPE = json.loads((Path(__file__).parents[2] / "sandbox" / "wes" / "recipe.json").read_text())


@dataclass(frozen=True)
class WesServer:
    """One of them as the contract tests see it.

    `cancels`: a run really ends when it is cancelled. `results` are the names of a good run's results; `check` looks
    into them, by name.
    """

    software: str
    version: str | None
    connect: Callable[[], AbstractAsyncContextManager[WesBackend]]
    connect_slow: Callable[[], AbstractAsyncContextManager[WesBackend]]
    """To the same software, where a run that is slow lasts."""
    offer: Callable[[Kind, str], Submission]
    cancels: bool
    results: frozenset[str]
    check: Callable[[dict[str, bytes]], None] = field(repr=False)


class RunningWesService:
    """wes-service's `wes-server`, whose CWL engine is `cwl_runner.py`."""

    def __init__(self, folder: Path) -> None:
        require_sapporo()
        if not (VENV / "bin" / "wes-server").exists():
            pytest.skip(f"NO SECOND WES SERVER TO TEST AGAINST: bring {VENV} up to date with `make setup`")
        (folder / "tmp").mkdir(parents=True)
        runner = folder / "runner"
        script = Path(__file__).with_name("cwl_runner.py")
        runner.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {shlex.quote(str(script))} "$@"\n')
        runner.chmod(0o700)
        self.folder, port = folder, find_free_port()
        self.url = f"http://127.0.0.1:{port}"
        command = [str(VENV / "bin" / "wes-server"), "--port", str(port), "--opt", f"runner={runner}"]
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        with (folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                command, cwd=folder, stdout=log, stderr=log, env=kept | {"TMPDIR": str(folder / "tmp")}
            )
        wait_until(self._answers, within_s=START_SECONDS)

    def _answers(self) -> bool:
        assert self._process.poll() is None, (self.folder / "log").read_text()
        try:
            return httpx.get(f"{self.url}/ga4gh/wes/v1/service-info").status_code == 200
        except httpx.TransportError:
            return False

    def stop(self) -> None:
        """Runs that still wait end by themselves, now that nobody waits for them."""
        self._process.kill()
        self._process.wait(60)

    def connect(self, **config: Any) -> AbstractAsyncContextManager[WesBackend]:
        return open_wes(self.url, output_root=str(self.folder), **config)


def offer_cwl(kind: Kind, mark: str, content: bytes) -> Submission:
    wanted = [{"pattern": "imputed*.vcf.gz", "kind": "imputed_data"}]
    return run(
        input_file("my cohort.vcf.gz", content),
        mark=mark,
        recipe=recipe(workflow_type_version="v1.0", attachments={"impute.cwl": kind}, outputs=wanted),
    )


def start_sapporo(simulation: Simulation, folder: Path, *options: str) -> RunningWes:
    """With the sandbox's engine behind it, and two accounts."""
    shutil.copytree(simulation.panel, folder / "panels" / "simulated")
    accounts = folder / "accounts.json"
    people = [{"username": name, "password": "correct-horse-1"} for name in ("alice", "bob")]
    accounts.write_text(json.dumps(people))
    return RunningWes(folder, "--accounts", str(accounts), *options)


def open_account(
    site: RunningWes, name: str = "alice", password: str = "correct-horse-1", **config: Any
) -> AbstractAsyncContextManager[WesBackend]:
    return open_wes(site.url, base="", token=f"{name}:{password}", token_url=f"{site.url}/token", **config)


def offer_sandbox(cohort: Path, mark: str) -> Submission:
    file = input_file("my cohort.vcf.gz", cohort.read_bytes())
    wish = {"panel_id": "simulated-hg38", "phasing": "no_phasing", "r2_filter": 0.0, "recipe": RECIPE, "mark": mark}
    return run(file, **wish)


async def hear(ask: Callable[[], Awaitable[SiteJob]]) -> SiteJob:
    """What the site tells; where it says for a moment that it does not know (between two states), it is asked again."""
    async with asyncio.timeout(60):
        while True:
            try:
                return await ask()
            except SiteUnavailableError:
                await asyncio.sleep(POLL_S)


async def follow(backend: WesBackend, run_id: str) -> list[SiteJob]:
    """Everything the site tells of the run until it ends."""
    told: list[SiteJob] = []
    async with asyncio.timeout(150):
        while not told or told[-1].state in ("waiting", "running", "finishing"):
            told.append(await hear(lambda: backend.status(run_id)))
            await asyncio.sleep(POLL_S)
    return told


async def find_mark(backend: WesBackend, mark: str) -> list[str]:
    return [job.external_job_id async for job in backend.list_jobs() if job.mark == mark]
