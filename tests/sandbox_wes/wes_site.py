"""The WES site as a real process, and a client of it that knows nothing of its code."""

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from imputehub.local.children import find_free_port
from tests.sandbox.site_process import SiteProcess
from tests.waiting import wait_until

PROJECT = Path(__file__).parents[2]
VENV = Path(os.environ.get("IMPUTEHUB_WES_VENV", PROJECT / ".venv" / "wes"))
RUN_SECONDS = 60
FINAL = {"COMPLETE", "EXECUTOR_ERROR", "SYSTEM_ERROR", "CANCELED"}
Json = dict[str, Any]


def require_sapporo() -> None:
    """Skips, and says how not to, where the server of other people is not installed."""
    if not (VENV / "bin" / "python").exists():
        lock = "sandbox/wes/requirements.lock"
        pytest.skip(
            f"NO WES SERVER TO TEST AGAINST: {VENV} is missing. Make it with: python3 -m venv {VENV} && "
            f"{VENV}/bin/python -m pip install --require-hashes -r {lock}"
        )


class RunningWes(SiteProcess):
    """`data_dir` may hold `panels`; options as on the command line."""

    def __init__(self, data_dir: Path, *options: str) -> None:
        require_sapporo()
        self.port = find_free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        common = ["--port", str(self.port), "--data-dir", str(data_dir), "--venv", str(VENV)]
        engine = ["--engine", "lshmm", "--processes", "1"]
        command = [sys.executable, "-m", "sandbox.wes", *common, *engine, *options]
        super().__init__(command, data_dir, f"{self.url}/service-info")

    def post_run(self, cohort: Path | None, **parameters: Any) -> httpx.Response:
        values = {"targets": ["cohort.vcf.gz"], "panel": "simulated-hg38", "build": "hg38", **parameters}
        form = {
            "workflow_type": "SANDBOX",
            "workflow_type_version": "1.0",
            "workflow_engine": "sandbox",
            "workflow_url": "impute",
            "workflow_params": json.dumps(values),
        }
        files = {"workflow_attachment": ("cohort.vcf.gz", cohort.read_bytes())} if cohort else {"nothing": ("", b"")}
        return httpx.post(f"{self.url}/runs", data=form, files=files, timeout=30)

    def submit(self, cohort: Path | None, **parameters: Any) -> str:
        answer = self.post_run(cohort, **parameters)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["run_id"])

    def read(self, run: str) -> Json:
        found: Json = httpx.get(f"{self.url}/runs/{run}").json()
        return found

    def wait_for(self, run: str, condition: Callable[[Json], bool]) -> Json:
        wait_until(lambda: condition(self.read(run)), within_s=RUN_SECONDS)
        return self.read(run)

    def wait_for_end(self, run: str) -> Json:
        return self.wait_for(run, lambda found: found["state"] in FINAL)

    def find_processes(self, run: str) -> list[psutil.Process]:
        """As `list_processes`, once the engine computes."""
        self.wait_for(run, lambda found: '"done"' in (found["run_log"]["stdout"] or ""))
        return self.list_processes(run)

    def list_processes(self, run: str) -> list[psutil.Process]:
        """The run's script and its engine with all workers."""
        pid = int((self.data_dir / "runs" / run[:2] / run / "run.pid").read_text())
        script = psutil.Process(pid)
        return [script, *script.children(recursive=True)]


def wait_until_gone(processes: list[psutil.Process]) -> None:
    """Ended and, as far as it is ours to say, forgotten by the system."""
    gone = (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)

    def has_gone(process: psutil.Process) -> bool:
        try:
            return not process.is_running() or process.status() in gone
        except psutil.NoSuchProcess:
            return True

    deadline = time.monotonic() + 60
    while alive := [process for process in processes if not has_gone(process)]:
        assert time.monotonic() < deadline, f"still there: {alive}"
        time.sleep(0.02)
