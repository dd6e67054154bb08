"""The sandbox's side of the demonstration: simulated people, the sandbox site's account, and the score at the end.

The sandbox is foreign to the platform, so it is used as anybody would: by its commands and its site's own HTTP API.
"""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from imputehub.client import PlatformError

SEED = 20
SAMPLES = 50
# The simulator's panel: what the sandbox site offers it as.
PANEL_FOLDER = "simulated"


@dataclass(frozen=True)
class Cohort:
    """Simulated people: what a chip would see of them, and all of it (kept aside, to score against)."""

    typed: Path
    truth: Path
    panel: Path


def prepare_cohort(home: Path) -> Cohort:
    """The cohort, simulated at the first time together with the panel that the sandbox site then offers."""
    folder = home / "sandbox" / "demo"
    panel = home / "sandbox" / "site" / "panels" / PANEL_FOLDER
    made = folder / "simulation.json"
    if not made.exists() or not (panel / "panel.json").exists():
        command = ["sandbox.simulator", "--out", str(folder), "--panel-folder", str(panel)]
        found = _run(*command, "--seed", str(SEED), "--samples", str(SAMPLES))
        part = made.with_suffix(".part")
        part.write_text(json.dumps(found))
        part.replace(made)
    paths = json.loads(made.read_text())
    return Cohort(Path(paths["cohort"]), Path(paths["truth"]), Path(paths["panel"]))


def score_results(cohort: Cohort, imputed: Path) -> list[dict[str, Any]]:
    """Accuracy at the masked sites by the panel's minor allele frequency, as the sandbox measures it."""
    arguments = ["--imputed", str(imputed), "--truth", str(cohort.truth), "--typed", str(cohort.typed)]
    bins: list[dict[str, Any]] = _run("sandbox.accuracy", *arguments, "--panel", str(cohort.panel))["bins"]
    return bins


def _run(module: str, *arguments: str) -> Any:
    done = subprocess.run([sys.executable, "-m", module, *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise PlatformError(f"{module} failed: {done.stderr.strip()[-500:]}")
    return json.loads(done.stdout)


def make_site_token(site_url: str, account: dict[str, Any]) -> str:
    """Log in to the site as its web page would, and make an API token, as a researcher does by hand."""
    with httpx.Client(base_url=site_url, timeout=10) as site:
        form = {"username": account["username"], "password": account["password"]}
        login = site.post("/login", json=form).raise_for_status().json()
        headers = {"X-Auth-Token": login["access_token"]}
        path = f"/api/v2/users/{account['username']}/api-token"
        token: str = site.post(path, params={"expiration": 30}, headers=headers).raise_for_status().json()["token"]
        return token


def describe_panels(site_url: str, token: str) -> list[dict[str, Any]]:
    """The site's panels with their populations, read from its form: `key`, `name`, `populations`."""
    with httpx.Client(base_url=site_url, timeout=10, headers={"X-Auth-Token": token}) as site:
        form = site.get("/api/v2/server/apps/imputationserver2").raise_for_status().json()
    fields = {field["id"]: field for field in form["params"]}
    bound = {entry["key"]: [choice["key"] for choice in entry["values"]] for entry in fields["population"]["values"]}
    return [
        {"key": choice["key"], "name": choice["value"], "populations": bound[choice["key"]]}
        for choice in fields["refpanel"]["values"]
    ]
