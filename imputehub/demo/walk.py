"""The walk through the platform: as curator, then as researcher, from typed genotypes to a score against the truth."""

import json
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

from imputehub.client import Client, PlatformError, hash_file
from imputehub.commands._progress import console, explain_runs, follow_job, show_table
from imputehub.commands.files import upload_checked
from imputehub.commands.results import download_all
from imputehub.demo.catalogue import SITE_NAME, seed_catalogue, wait_until_healthy
from imputehub.demo.sandbox import Cohort, describe_panels, make_site_token, prepare_cohort, score_results

# Below this at common sites something is wrong: the simulation's own ceiling is far above it.
LEAST_R2_COMMON = 0.95


def walk(home: Path, site_url: str) -> None:
    """Run the demonstration on a platform that is up. Raises `PlatformError` when a step is not as it must be."""
    started = time.monotonic()
    known = json.loads((home / "credentials.json").read_text())
    with console.status("Simulating a cohort and a reference panel (at the first time only) …"):
        cohort = prepare_cohort(home)
    with (
        Client(known["gateway_url"]) as curator,
        Client(known["gateway_url"]) as researcher,
    ):
        curator.log_in(**known["accounts"]["curator"])
        researcher.log_in(**known["accounts"]["researcher"])
        target = _prepare_site(home, site_url, curator, researcher, cohort)
        file = _provide_cohort(researcher, cohort)
        job = _impute(researcher, file, target)
        imputed = _fetch(researcher, job, home / "demo" / job["id"])
    _tell_accuracy(score_results(cohort, imputed))
    console.print(f"Done in {time.monotonic() - started:.0f} s. Results: {imputed.parent}", highlight=False)


def _prepare_site(home: Path, site_url: str, curator: Client, researcher: Client, cohort: Cohort) -> dict[str, str]:
    """The target of the job, with the researcher's own token for the site stored."""
    account = json.loads((home / "sandbox" / "accounts.json").read_text())[0]
    token = make_site_token(site_url, account)
    description = json.loads((cohort.panel / "panel.json").read_text())
    panel = next(panel for panel in describe_panels(site_url, token) if f"@{description['id']}@" in panel["key"])
    panel["samples"] = description["haplotypes"] // 2
    service_id, panel_id = seed_catalogue(curator, site_url, panel)
    site = wait_until_healthy(researcher, service_id, panel_id)
    console.print(f"Catalogue: '{site['name']}' is healthy ({site['response_time_ms']:.0f} ms), panel {panel['key']}")
    researcher.set_site_credential(service_id, token)
    return {"service_id": service_id, "panel_id": panel_id}


def _provide_cohort(researcher: Client, cohort: Cohort) -> dict[str, Any]:
    """The cohort's file at the platform: uploaded, unless the same bytes are there already."""
    digest = hash_file(cohort.typed)
    for file in researcher.list_files():
        if file["sha256"] == digest and file["status"] == "ready":
            console.print(f"Genotypes: {file['filename']} is here already ({file['size']:,} bytes)", highlight=False)
            return file
    file = upload_checked(researcher, cohort.typed)
    if file["status"] != "ready":
        raise PlatformError("The simulated cohort did not pass its check.")
    return file


def _impute(researcher: Client, file: dict[str, Any], target: dict[str, str]) -> dict[str, Any]:
    wish = {
        "name": "Demonstration: simulated cohort, chr20",
        "input_file_ids": [file["id"]],
        "build": "hg38",
        "phasing": "no_phasing",
        "population": None,
        "targets": [target],
    }
    job = researcher.create_job(wish, idempotency_key=uuid4().hex)
    console.print(f"Job {job['id']} submitted", highlight=False)
    ended = follow_job(researcher.watch_job(job["id"], interval_s=0.5), {target["service_id"]: SITE_NAME})
    if ended["status"] != "completed":
        explain_runs(ended)
        raise PlatformError(f"The job is {ended['status']}, not completed.")
    return ended


def _fetch(researcher: Client, job: dict[str, Any], folder: Path) -> Path:
    """Download all results; the imputed genotypes among them. Hashes are compared on the way."""
    paths = download_all(researcher, job["id"], folder)
    console.print(f"{len(paths)} result files downloaded; each SHA-256 is the one that file_manager gives")
    imputed = [path for path in paths if path.name.endswith(".dose.vcf.gz")]
    if len(imputed) != 1:
        raise PlatformError("The results hold no imputed genotypes.")
    return imputed[0]


def _tell_accuracy(bins: list[dict[str, Any]]) -> None:
    rows = [
        (
            f"{100 * part['maf_over']:g}–{100 * part['maf_up_to']:g} %",
            "–" if part["r2"] is None else f"{part['r2']:.3f}",
            f"{part['sites']:,}",
            f"{part['skipped']:,}",
        )
        for part in bins
    ]
    console.print("Accuracy at the masked sites: mean squared correlation of dosage and true genotype")
    show_table(("MAF in the panel", "R²", "sites", "not varying"), rows)
    common = bins[-1]["r2"]
    if common is None or common < LEAST_R2_COMMON:
        raise PlatformError(f"R² at common sites is {common}, below {LEAST_R2_COMMON}: something is wrong.")
