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
_RECIPE = Path(__file__).parents[2] / "sandbox" / "wes" / "recipe.json"


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


def describe_cloudgene_panel(site_url: str, token: str, cohort: Cohort) -> dict[str, Any]:
    """The panel as the site offers it in its form: what a curator enters."""
    with httpx.Client(base_url=site_url, timeout=10, headers={"X-Auth-Token": token}) as site:
        form = site.get("/api/v2/server/apps/imputationserver2").raise_for_status().json()
    fields = {field["id"]: field for field in form["params"]}
    bound = {entry["key"]: [choice["key"] for choice in entry["values"]] for entry in fields["population"]["values"]}
    panel = _read_panel(cohort)
    offered = next(choice for choice in fields["refpanel"]["values"] if f"@{panel['id']}@" in choice["key"])
    return {
        "name": offered["value"],
        "panel_id": offered["key"],
        "populations": bound[offered["key"]],
        "samples_count": panel["haplotypes"] // 2,
    }


def describe_wes_panel(cohort: Cohort) -> dict[str, Any]:
    """A workflow site lists no panels: a curator enters what its workflow calls them, and the recipe to run it."""
    panel = _read_panel(cohort)
    return {
        "name": panel["name"],
        "panel_id": panel["id"],
        "populations": sorted(panel["populations"]),
        "samples_count": panel["haplotypes"] // 2,
        "recipe": json.loads(_RECIPE.read_text()),
    }


def _read_panel(cohort: Cohort) -> dict[str, Any]:
    panel: dict[str, Any] = json.loads((cohort.panel / "panel.json").read_text())
    return panel
