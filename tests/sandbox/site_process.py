"""A site as a process of its own, there once it answers."""

import subprocess
from pathlib import Path

import httpx

from tests.waiting import wait_until

START_SECONDS = 60


class SiteProcess:
    """`status_url` answers 200 as soon as the site is up. Its words are in `data_dir`/site.log."""

    def __init__(self, command: list[str], data_dir: Path, status_url: str) -> None:
        self.data_dir = data_dir
        self._command, self._status_url = command, status_url
        self.start()

    def start(self) -> None:
        with (self.data_dir / "site.log").open("ab") as log:
            self.process = subprocess.Popen(self._command, stdout=log, stderr=log, start_new_session=True)
        wait_until(self._answers, within_s=START_SECONDS)

    def _answers(self) -> bool:
        assert self.process.poll() is None, (self.data_dir / "site.log").read_text()
        try:
            return httpx.get(self._status_url).status_code == 200
        except httpx.TransportError:
            return False

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(60)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(60)
