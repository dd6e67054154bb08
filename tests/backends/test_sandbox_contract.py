"""The adapter against the sandbox's site, as a real process: both were written from the interface, not each other."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from imputehub.commands.sandbox import call_control
from microservices.backends.base import (
    CredentialRefusedError,
    InputFile,
    JobNotFoundError,
    ResultRefusedError,
    SiteFile,
    SiteFullError,
    SiteJob,
    Submission,
)
from microservices.backends.michigan import MichiganBackend
from sandbox.simulator import Simulation, simulate_cohort
from tests.backends.stub_site import open_michigan
from tests.sandbox.sandbox_site import RunningSite, SiteClient

PASSWORD = "Secret12345x"
POLL_S = 0.05


@pytest.fixture(scope="module")
def simulation(tmp_path_factory: pytest.TempPathFactory) -> Simulation:
    folder = tmp_path_factory.mktemp("contract")
    return simulate_cohort(folder, seed=23, samples=20, panel_haplotypes=100, length=400_000, typed=150)


@pytest.fixture(scope="module")
def site(simulation: Simulation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    folder = tmp_path_factory.mktemp("contract-site")
    users = ["alice", "bob", "carol", "dave", "erin"]
    running = RunningSite(folder, users, "--settle-seconds", "0.4", "--max-downloads", "1", "--slots", "1")
    shutil.copytree(simulation.panel, folder / "panels" / "simulated")
    yield running
    running.stop()


async def offer_run(backend: MichiganBackend, cohort: Path, mark: str) -> Submission:
    """A run on the first panel of the first application, as a job would choose them."""
    panels = (await backend.describe()).panels
    assert panels
    panel = panels[0]
    content = await asyncio.to_thread(cohort.read_bytes)

    async def read() -> AsyncIterator[bytes]:
        yield content

    file = InputFile(cohort.name, len(content), read)
    population = panel.populations[0]
    return Submission(
        mark, panel.panel_id, panel.build or "hg38", population, "no_phasing", 0, "imputation", PASSWORD, (file,)
    )


async def follow(backend: MichiganBackend, external_job_id: str) -> list[SiteJob]:
    """Everything the site tells of the job until it ends."""
    told: list[SiteJob] = []
    async with asyncio.timeout(50):
        while not told or told[-1].state in ("waiting", "running", "finishing"):
            told.append(await backend.status(external_job_id))
            await asyncio.sleep(POLL_S)
    return told


def unpack(backend: MichiganBackend, file: SiteFile, path: Path) -> dict[str, bytes]:
    return {member.filename: member.stream.read() for member in backend.unpack(file, path, PASSWORD)}


async def test_a_run_goes_from_the_catalogue_to_checked_results(
    site: RunningSite, simulation: Simulation, tmp_path: Path
) -> None:
    async with open_michigan(site.url, token=site.log_in("alice").token) as backend:
        assert (await backend.probe()).health == "healthy"
        check = await backend.verify_credential()
        assert (check.valid, check.account) == (True, "alice")
        assert check.expires_at is not None

        job_id = await backend.submit(await offer_run(backend, simulation.cohort, "ih-contract-1"))
        assert [(job.external_job_id, job.mark) async for job in backend.list_jobs()] == [(job_id, "ih-contract-1")]
        told = await follow(backend, job_id)
        assert told[-1].state == "succeeded", [message.text for message in told[-1].messages]
        progress = [job.progress for job in told if job.progress is not None]
        assert progress == sorted(progress)
        assert len(set(progress)) > 3

        files = {file.filename: file for file in await backend.results(job_id)}
        archive = files["chr_20.zip"]
        assert (archive.kind, archive.downloads_left) == ("imputed_data", 1)
        await backend.fetch(archive, tmp_path / "z")
        members = unpack(backend, archive, tmp_path / "z")
        assert {"chr20.dose.vcf.gz", "chr20.info.gz"} <= set(members)
        with pytest.raises(ResultRefusedError) as refused:
            await backend.fetch(archive, tmp_path / "again")
        assert refused.value.code == "downloads_exhausted"
        report = files["qc_report.txt"]
        await backend.fetch(report, tmp_path / "r")
        assert unpack(backend, report, tmp_path / "r")["qc_report.txt"]


async def test_the_limit_of_jobs_is_back_pressure_and_a_cancelled_job_is_cancelled(
    site: RunningSite, simulation: Simulation
) -> None:
    async with open_michigan(site.url, token=site.log_in("bob").token) as backend:
        run = await offer_run(backend, simulation.cohort, "ih-contract-2")
        jobs = [await backend.submit(run), await backend.submit(run)]
        with pytest.raises(SiteFullError):
            await backend.submit(run)
        for job_id in jobs:
            await backend.cancel(job_id)
        assert [(await follow(backend, job_id))[-1].state for job_id in jobs] == ["cancelled", "cancelled"]


async def test_a_job_that_the_site_gave_up_is_restarted_as_the_same(site: RunningSite, simulation: Simulation) -> None:
    key = (site.data_dir / "control.key").read_text()
    call_control(f"{site.url}/sandbox/control", key, {"faults": [{"fault": "give_up", "times": 1}]})
    async with open_michigan(site.url, token=site.log_in("erin").token) as backend:
        assert (await backend.describe()).capabilities.restarts is True
        run = await offer_run(backend, simulation.cohort, "ih-contract-5")
        job_id = await backend.submit(replace(run, mode="qc_only"))
        assert (await follow(backend, job_id))[-1].state == "dead"
        assert (await backend.restart(job_id)).state in ("waiting", "running")
        assert (await backend.restart(job_id)).state in ("waiting", "running", "finishing")
        assert (await follow(backend, job_id))[-1].state == "succeeded"
        assert [job.external_job_id async for job in backend.list_jobs()] == [job_id]


async def test_a_job_that_fails_says_why(site: RunningSite, simulation: Simulation) -> None:
    async with open_michigan(site.url, token=site.log_in("carol").token) as backend:
        run = await offer_run(backend, simulation.cohort, "ih-contract-3")
        wrong_panel = Submission(**{**vars(run), "panel_id": "apps@unheard-of@1.0.0"})
        job_id = await backend.submit(wrong_panel)
        assert (await follow(backend, job_id))[-1].state == "failed"
        assert "not installed or wrong permissions" in await backend.failure_log(job_id)
        with pytest.raises(JobNotFoundError):
            await backend.status("job-20200101-000000-000")


async def test_a_replaced_token_is_refused_everywhere(site: RunningSite, simulation: Simulation) -> None:
    person: SiteClient = site.log_in("dave")
    async with open_michigan(site.url, token=person.token) as backend:
        run = await offer_run(backend, simulation.cohort, "ih-contract-4")
    person.renew_token()
    async with open_michigan(site.url, token=person.token, app="imputationserver2") as backend:
        assert not (await backend.verify_credential()).valid
        for call in (backend.describe(), backend.submit(run), backend.status("job-20200101-000000-000")):
            with pytest.raises(CredentialRefusedError):
                await call
