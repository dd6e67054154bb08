"""The files by which sapporo and the script of a run tell each other how the run stands (sapporo 2.4, `run.sh`)."""

import contextlib
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

State = Literal["RUNNING", "CANCELING", "COMPLETE", "EXECUTOR_ERROR", "SYSTEM_ERROR", "CANCELED"]


class RunFolder:
    """One run; `exe` holds its attachments, `outputs` its results."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.exe, self.outputs = path / "exe", path / "outputs"

    def read_parameters(self) -> Any:
        """`workflow_params` as it was sent."""
        return json.loads((self.exe / "workflow_params.json").read_text(encoding="utf-8"))

    def read_workflow(self) -> str:
        """`workflow_url`."""
        return str(json.loads((self.path / "run_request.json").read_text(encoding="utf-8"))["workflow_url"])

    def is_canceling(self) -> bool:
        """Whether a cancel came before this process could be told of it."""
        return (self.path / "state.txt").read_text(encoding="utf-8").strip() == "CANCELING"

    def write_pid(self) -> None:
        """From now on a cancel comes as SIGUSR1."""
        self._write("run.pid", str(os.getpid()))

    def begin(self) -> None:
        self._write("state.txt", "RUNNING")

    def list_outputs(self) -> None:
        """Tells where each result can be downloaded."""
        info = json.loads((self.path / "runtime_info.json").read_text(encoding="utf-8"))
        names = sorted(str(path.relative_to(self.outputs)) for path in self.outputs.rglob("*") if path.is_file())
        base = f"{info['base_url']}/runs/{info['run_id']}/outputs"
        self._write("outputs.json", json.dumps([{"file_name": n, "file_url": f"{base}/{quote(n)}"} for n in names]))

    def end(self, state: State, exit_code: int, reason: str = "") -> None:
        """The state comes last: whoever sees the end sees all of it."""
        if reason:
            with contextlib.suppress(OSError):
                self._write("system_logs.json", json.dumps([reason]))
        self._write("exit_code.txt", str(exit_code))
        self._write("end_time.txt", datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S"))
        self._write("state.txt", state)

    def _write(self, name: str, text: str) -> None:
        """At once: sapporo may read at any moment."""
        partial = self.path / f".{name}"
        partial.write_text(f"{text}\n", encoding="utf-8")
        partial.replace(self.path / name)
