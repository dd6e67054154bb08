"""A site as a real process, and a client of it that knows nothing of its code."""

import json
import sys
from pathlib import Path
from typing import Any

import httpx

from imputehub.local.children import find_free_port
from tests.sandbox.site_process import SiteProcess
from tests.waiting import wait_until

PASSWORD = "correct-horse-1"
JOB_SECONDS = 90
Json = dict[str, Any]


class RunningSite(SiteProcess):
    """`usernames` get accounts with PASSWORD."""

    def __init__(self, data_dir: Path, usernames: list[str], *options: str) -> None:
        accounts = data_dir / "accounts.json"
        entries = [
            {"username": name, "password": PASSWORD, "name": f"{name} Example", "mail": f"{name}@example.org"}
            for name in usernames
        ]
        accounts.write_text(json.dumps(entries), encoding="utf-8")
        self.port = find_free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        common = ["--port", str(self.port), "--data-dir", str(data_dir), "--accounts", str(accounts)]
        engine = ["--engine", "lshmm", "--processes", "1", "--chunk-size", "200000", "--overlap", "100000"]
        command = [sys.executable, "-m", "sandbox.cloudgene", *common, *engine, *options]
        super().__init__(command, data_dir, f"{self.url}/api/v2/server")

    def log_in(self, username: str) -> "SiteClient":
        answer = httpx.post(f"{self.url}/login", data={"username": username, "password": PASSWORD})
        return SiteClient(self.url, username, answer.json()["access_token"])


class SiteClient:
    """Calls with one token; `login_token` is the browser's."""

    def __init__(self, url: str, username: str, login_token: str) -> None:
        self.username, self.login_token = username, login_token
        browser = httpx.Client(base_url=url, headers={"X-Auth-Token": login_token}, timeout=60)
        self.browser = browser
        self.token = self.renew_token()
        self.http = httpx.Client(base_url=url, headers={"X-Auth-Token": self.token}, timeout=60)

    def renew_token(self) -> str:
        answer = self.browser.post(f"/api/v2/users/{self.username}/api-token").json()
        assert answer["message"] == "Creation successfull."
        return str(answer["token"])

    def post_job(self, path: Path | None, application: str = "imputationserver2", **fields: str) -> httpx.Response:
        values = {"refpanel": "apps@simulated-hg38@1.0.0", "build": "hg38", "population": "eur"}
        values |= {"phasing": "no_phasing", "password": "Abcdefghij1", **fields}
        files = {"files": (path.name, path.read_bytes())} if path else {"files": ("", b"")}
        names = {"job_name": "job-name"}
        data = {names.get(key, key): value for key, value in values.items()}
        return self.http.post(f"/api/v2/jobs/submit/{application}", data=data, files=files)

    def submit(self, path: Path, **fields: str) -> str:
        answer = self.post_job(path, **fields)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["id"])

    def read(self, job: str) -> Json:
        answer: Json = self.http.get(f"/api/v2/jobs/{job}").json()
        return answer

    def wait_for_state(self, job: str, *states: int) -> Json:
        wait_until(lambda: self.read(job)["state"] in states, within_s=JOB_SECONDS)
        return self.read(job)

    def wait_for_end(self, job: str) -> Json:
        """Until the job left the engine."""
        wait_until(lambda: bool(self.read(job)["positionInQueue"] == -1), within_s=JOB_SECONDS)
        return self.read(job)


def texts(job: Json, step: str, kind: int | None = None) -> str:
    """All messages of a step, of one type if asked for."""
    found = [
        message["message"]
        for entry in job["steps"]
        if entry["name"] == step
        for message in entry["logMessages"]
        if kind is None or message["type"] == kind
    ]
    return "\n".join(found)


def find_result(job: Json, name: str) -> Json:
    """The entry of a result file."""
    files: list[Json] = job["outputParams"][0]["files"]
    return next(file for file in files if file["name"] == name)
