"""From a job to the task of its pipeline, and the log of both."""

import shutil
from pathlib import Path

from sandbox.cloudgene.jobs import Job
from sandbox.cloudgene.panels import resolve_panel
from sandbox.cloudgene.pipeline.task import Task
from sandbox.cloudgene.settings import SiteSettings


def make_task(folder: Path, job: Job, settings: SiteSettings, fault: str = "") -> Task:
    """Empties what an earlier run of the job left; fields that were not submitted have the site's defaults."""
    choices = job.choices
    panel = resolve_panel(settings.panels_folder, choices["refpanel"])
    for name in ("output", "work"):
        shutil.rmtree(folder / name, ignore_errors=True)
        (folder / name).mkdir(parents=True)
    return Task(
        files=sorted((folder / "input").glob("*")),
        output=folder / "output",
        work=folder / "work",
        panel_folder=panel.folder if panel else settings.panels_folder / choices["refpanel"],
        build=choices.get("build", "hg19"),
        population=choices.get("population", "off"),
        phasing=choices.get("phasing", "eagle"),
        r2_filter=choices.get("r2Filter", "0"),
        mode=choices.get("mode", "imputation"),
        aes="aesEncryption" in choices,
        meta="meta" in choices,
        password=choices.get("password", ""),
        engine=settings.engine,
        chunk_size=settings.chunk_size,
        overlap=settings.overlap,
        processes=settings.processes,
        min_samples=settings.min_samples,
        max_samples=settings.max_samples,
        fault=fault,
    )


def write_choices(folder: Path, job: Job) -> None:
    """What was submitted, without the password."""
    shown = [f"  {key}: {value}" for key, value in job.choices.items() if key != "password"]
    write_log(folder, "\n".join([f"Job {job.id} by {job.owner}, application {job.application}", *shown]))


def write_log(folder: Path, text: str) -> None:
    """Adds to the log that the owner may read."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "job.log").open("a", encoding="utf-8") as log:
        log.write(f"{text}\n")
