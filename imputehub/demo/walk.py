"""The walk through the platform: as curator, then as researcher, from typed genotypes to a score against the truth."""

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from imputehub.client import Client, PlatformError, hash_file
from imputehub.commands._progress import console, explain_runs, follow_job, show_table
from imputehub.commands.files import upload_checked
from imputehub.commands.results import download_all
from imputehub.demo.catalogue import (
    describe_cloudgene_site,
    describe_mirror,
    describe_silent_site,
    describe_wes_site,
    seed_site,
    wait_until_healthy,
    wait_until_probed,
)
from imputehub.demo.sandbox import (
    Cohort,
    describe_cloudgene_panel,
    describe_wes_panel,
    make_site_token,
    prepare_cohort,
    score_results,
)

# Below this at common sites something is wrong: the simulation's own ceiling is far above it.
LEAST_R2_COMMON = 0.95


@dataclass(frozen=True)
class Destination:
    """One target of the job: a site and its panel in the catalogue."""

    name: str
    service_id: str
    panel_id: str


def walk(home: Path, sites: dict[str, str]) -> None:
    """Run the demonstration on a platform that is up. Raises `PlatformError` when a step is not as it must be.

    `sites`: the addresses of the sandbox's sites, by the names of their processes.
    """
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
        destinations = _prepare_sites(home, sites, curator, researcher, cohort)
        file = _provide_cohort(researcher, cohort)
        job = _impute(researcher, file, destinations)
        imputed = _fetch(researcher, job, home / "demo" / job["id"])
    names = {destination.service_id: destination.name for destination in destinations}
    _tell_accuracy({names[service_id]: score_results(cohort, path) for service_id, path in imputed.items()})
    console.print(f"Done in {time.monotonic() - started:.0f} s. Results: {home / 'demo' / job['id']}", highlight=False)


def _prepare_sites(
    home: Path, sites: dict[str, str], curator: Client, researcher: Client, cohort: Cohort
) -> list[Destination]:
    """The job's targets, each healthy in the catalogue, with the researcher's own credential for it stored.

    Two further sites are entered before them: one is healthy and gets no job, and one is down and disturbs nobody.
    """
    account = json.loads((home / "sandbox" / "accounts.json").read_text())[0]
    url = sites["sandbox_site"]
    token = make_site_token(url, account)
    panel, wes_panel = describe_cloudgene_panel(url, token, cohort), describe_wes_panel(cohort)
    _enter_bystander(curator, researcher, describe_silent_site(), wes_panel)
    mirror = _enter_bystander(curator, researcher, describe_mirror(url), panel)
    researcher.set_site_credential(mirror, token)
    found = [_enter_target(curator, researcher, describe_cloudgene_site(url), panel, token)]
    if "sandbox_wes" in sites:
        password = f"{account['username']}:{account['password']}"
        found.append(_enter_target(curator, researcher, describe_wes_site(sites["sandbox_wes"]), wes_panel, password))
    _tell_catalogue(researcher.list_services())
    return found


def _enter_bystander(curator: Client, researcher: Client, site: dict[str, Any], panel: dict[str, Any]) -> str:
    service_id, panel_id = seed_site(curator, site, panel)
    wait_until_probed(researcher, service_id, panel_id)
    return service_id


def _enter_target(
    curator: Client, researcher: Client, site: dict[str, Any], panel: dict[str, Any], credential: str
) -> Destination:
    service_id, panel_id = seed_site(curator, site, panel)
    seen = wait_until_healthy(researcher, service_id, panel_id)
    researcher.set_site_credential(service_id, credential)
    return Destination(seen["name"], service_id, panel_id)


def _tell_catalogue(services: list[dict[str, Any]]) -> None:
    """What the curator has entered, and what the registry has found of it."""
    console.print(f"Catalogue: {len(services)} sites, as the registry's probes find them")
    rows = []
    for one in services:
        latency = "–" if one["response_time_ms"] is None else f"{one['response_time_ms']:.0f} ms"
        rows.append((one["name"], one["api_type"], one["health_status"], latency, one["error_message"] or ""))
    show_table(("site", "speaks", "health", "answers in", "what is wrong"), rows)


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


def _impute(researcher: Client, file: dict[str, Any], destinations: list[Destination]) -> dict[str, Any]:
    wish = {
        "name": "Demonstration: simulated cohort, chr20",
        "input_file_ids": [file["id"]],
        "build": "hg38",
        "phasing": "no_phasing",
        "population": None,
        "targets": [{"service_id": target.service_id, "panel_id": target.panel_id} for target in destinations],
    }
    job = researcher.create_job(wish, idempotency_key=uuid4().hex)
    console.print(f"Job {job['id']} submitted to {len(destinations)} site(s)", highlight=False)
    names = {target.service_id: target.name for target in destinations}
    ended = follow_job(researcher.watch_job(job["id"], interval_s=0.5), names)
    if ended["status"] != "completed":
        explain_runs(ended)
        raise PlatformError(f"The job is {ended['status']}, not completed.")
    return ended


def _fetch(researcher: Client, job: dict[str, Any], folder: Path) -> dict[str, Path]:
    """Download all results; service id → its imputed genotypes. Hashes are compared on the way."""
    paths = download_all(researcher, job["id"], folder)
    console.print(f"{len(paths)} result files downloaded; each SHA-256 is the one that file_manager gives")
    imputed = {}
    for run in job["runs"]:
        found = list((folder / run["id"]).glob("*.dose.vcf.gz"))
        if len(found) != 1:
            raise PlatformError("The results of a run hold no imputed genotypes.")
        imputed[run["service_id"]] = found[0]
    return imputed


def _tell_accuracy(scores: dict[str, list[dict[str, Any]]]) -> None:
    """The sites side by side: R² for each bin of minor allele frequency, and how many sites it was measured at."""
    console.print("Accuracy at the masked sites: mean squared correlation of dosage and true genotype")
    rows = []
    for parts in zip(*scores.values(), strict=True):
        span = f"{100 * parts[0]['maf_over']:g}–{100 * parts[0]['maf_up_to']:g} %"
        r2 = ["–" if part["r2"] is None else f"{part['r2']:.3f}" for part in parts]
        rows.append((span, *r2, f"{parts[0]['sites']:,}", f"{parts[0]['skipped']:,}"))
    show_table(("MAF in the panel", *(f"R² {name}" for name in scores), "sites", "not varying"), rows)
    for name, bins in scores.items():
        common = bins[-1]["r2"]
        if common is None or common < LEAST_R2_COMMON:
            raise PlatformError(
                f"R² at common sites is {common} at {name}, below {LEAST_R2_COMMON}: something is wrong."
            )
