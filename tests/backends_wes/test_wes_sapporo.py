"""The adapter against sapporo as other people wrote it, with the sandbox's engine behind it."""

import asyncio
import functools
import http.server
import json
import shutil
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from microservices.backends.base import JobNotFoundError, SiteError, SiteJob, SiteUnavailableError, Submission
from microservices.backends.ga4gh_wes import WesBackend
from sandbox.accuracy import score
from sandbox.simulator import Simulation, simulate_cohort
from sandbox.vcf import read_haplotypes, write_haplotypes
from tests.backends.runs import input_file
from tests.backends_wes.wes_stub import open_wes, run
from tests.sandbox_wes.wes_site import RunningWes, require_sapporo, wait_until_gone

RECIPE = json.loads((Path(__file__).parents[2] / "sandbox" / "wes" / "recipe.json").read_text())
POLL_S = 0.1


@pytest.fixture(scope="module")
def simulation(tmp_path_factory: pytest.TempPathFactory) -> Simulation:
    require_sapporo()
    folder = tmp_path_factory.mktemp("wes-contract")
    return simulate_cohort(folder, seed=31, samples=10, panel_haplotypes=200, length=400_000, typed=150)


def start_site(simulation: Simulation, folder: Path, *options: str) -> RunningWes:
    shutil.copytree(simulation.panel, folder / "panels" / "simulated")
    accounts = folder / "accounts.json"
    people = [{"username": name, "password": "correct-horse-1"} for name in ("alice", "bob")]
    accounts.write_text(json.dumps(people))
    return RunningWes(folder, "--accounts", str(accounts), *options)


@pytest.fixture(scope="module")
def site(simulation: Simulation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningWes]:
    running = start_site(simulation, tmp_path_factory.mktemp("wes-contract-site"))
    yield running
    running.stop()


@pytest.fixture(scope="module")
def slow_site(simulation: Simulation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningWes]:
    folder = tmp_path_factory.mktemp("wes-slow-site")
    running = start_site(simulation, folder, "--chunk-size", "1000", "--overlap", "500000")
    yield running
    running.kill()


def open_account(
    site: RunningWes, name: str = "alice", password: str = "correct-horse-1", **config: Any
) -> AbstractAsyncContextManager[WesBackend]:
    return open_wes(site.url, base="", token=f"{name}:{password}", token_url=f"{site.url}/token", **config)


def offer_run(cohort: Path, mark: str) -> Submission:
    file = input_file("my cohort.vcf.gz", cohort.read_bytes())
    wish = {"panel_id": "simulated-hg38", "phasing": "no_phasing", "r2_filter": 0.0, "recipe": RECIPE, "mark": mark}
    return run(file, **wish)


async def hear(ask: Callable[[], Awaitable[SiteJob]]) -> SiteJob:
    """What the site tells; where it says for a moment that it does not know (between two states), it is asked again."""
    async with asyncio.timeout(20):
        while True:
            try:
                return await ask()
            except SiteUnavailableError:
                await asyncio.sleep(POLL_S)


async def follow(backend: WesBackend, run_id: str) -> list[SiteJob]:
    """Everything the site tells of the run until it ends."""
    told: list[SiteJob] = []
    async with asyncio.timeout(50):
        while not told or told[-1].state in ("waiting", "running", "finishing"):
            told.append(await hear(lambda: backend.status(run_id)))
            await asyncio.sleep(POLL_S)
    return told


async def find_mark(backend: WesBackend, mark: str) -> list[str]:
    return [job.external_job_id async for job in backend.list_jobs() if job.mark == mark]


async def test_a_run_goes_from_the_recipe_to_checked_results(
    site: RunningWes, simulation: Simulation, tmp_path: Path
) -> None:
    async with open_account(site) as backend:
        probe = await backend.probe()
        assert (probe.health, probe.version) == ("healthy", "2.4.0"), probe.message
        assert (await backend.describe()).apps == ("SANDBOX 1.0",)
        check = await backend.verify_credential()
        assert (check.valid, check.account) == (True, "alice")
        assert check.expires_at is not None

        run_id = await backend.submit(offer_run(simulation.cohort, "imputehub-contract-1"))
        assert await find_mark(backend, "imputehub-contract-1") == [run_id]
        told = await follow(backend, run_id)
        assert told[-1].state == "succeeded", await backend.failure_log(run_id)
        assert {job.progress for job in told[:-1]} <= {None}

        files = {file.filename: file for file in await backend.results(run_id, RECIPE)}
        assert {name: file.kind for name, file in files.items()} == {
            "chr20.dose.vcf.gz": "imputed_data",
            "chr20.info.gz": "imputed_data",
        }
        for name, file in files.items():
            await backend.fetch(file, tmp_path / "spooled")
            (content,) = [member.stream.read() for member in backend.unpack(file, tmp_path / "spooled", None)]
            (tmp_path / name).write_bytes(content)
        common = score(tmp_path / "chr20.dose.vcf.gz", simulation.truth, simulation.cohort, simulation.panel)[-1]
        assert common.r2 is not None
        assert common.r2 > 0.8


async def test_other_accounts_see_nothing_of_it_and_strangers_are_refused(
    site: RunningWes, simulation: Simulation, tmp_path: Path
) -> None:
    async with open_account(site) as alice, open_account(site, "bob") as bob:
        run_id = await alice.submit(offer_run(simulation.cohort, "imputehub-contract-2"))
        assert await find_mark(bob, "imputehub-contract-2") == []
        with pytest.raises(SiteError) as refused:
            await bob.status(run_id)
        assert refused.value.code == "access_denied"
        assert (await follow(alice, run_id))[-1].state == "succeeded"
        file = (await alice.results(run_id, RECIPE))[0]
        async with open_wes(site.url, base="") as stranger:
            assert not (await stranger.verify_credential()).valid
            with pytest.raises(SiteError) as denied:
                await stranger.fetch(file, tmp_path / "stolen")
            assert denied.value.code == "credential_refused"
        with pytest.raises(JobNotFoundError):
            await alice.status("00000000-0000-4000-8000-000000000000")
    async with open_account(site, password="wrong-horse-1") as wrong:
        assert not (await wrong.verify_credential()).valid


async def test_a_signed_address_is_fetched_by_the_site_itself(site: RunningWes, simulation: Simulation) -> None:
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(simulation.cohort.parent))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        submission = offer_run(simulation.cohort, "imputehub-contract-3")
        url = f"http://127.0.0.1:{server.server_port}/cohort.vcf.gz?signature=s3cret"
        (file,) = submission.files
        async with open_account(site, input_mode="url") as backend:
            run_id = await backend.submit(replace(submission, files=(replace(file, url=url),)))
            assert (await follow(backend, run_id))[-1].state == "succeeded", await backend.failure_log(run_id)
        server.shutdown()


async def test_a_run_that_fails_says_why(site: RunningWes, simulation: Simulation, tmp_path: Path) -> None:
    unphased = tmp_path / "unphased.vcf.gz"
    haplotypes = replace(read_haplotypes(simulation.cohort), phased=False)
    write_haplotypes(unphased, haplotypes, ["##contig=<ID=chr20,length=64444167>"])
    async with open_account(site) as backend:
        run_id = await backend.submit(offer_run(unphased, "imputehub-contract-4"))
        job = (await follow(backend, run_id))[-1]
        assert (job.state, job.external_status) == ("failed", "EXECUTOR_ERROR")
        assert (await backend.failure_log(run_id)).startswith("Your input data is unphased.")


async def test_a_recipe_that_the_site_does_not_run_is_refused_with_its_words(
    site: RunningWes, simulation: Simulation
) -> None:
    async with open_account(site) as backend:
        submission = offer_run(simulation.cohort, "imputehub-contract-5")
        with pytest.raises(SiteError) as refused:
            await backend.submit(replace(submission, recipe={**RECIPE, "workflow_engine": "cwltool"}))
        assert (refused.value.code, refused.value.sent) == ("refused", "nothing")
        assert "Invalid workflow_engine: cwltool" in refused.value.message
        assert await find_mark(backend, "imputehub-contract-5") == []


async def test_a_cancelled_run_is_cancelled_and_its_engine_gone(slow_site: RunningWes, simulation: Simulation) -> None:
    async with open_account(slow_site) as backend:
        run_id = await backend.submit(offer_run(simulation.cohort, "imputehub-contract-6"))
        stdout = slow_site.data_dir / "runs" / run_id[:2] / run_id / "stdout.log"
        async with asyncio.timeout(30):
            while '"done"' not in (stdout.read_text() if stdout.exists() else ""):  # noqa: ASYNC110
                await asyncio.sleep(POLL_S)
        processes = await asyncio.to_thread(slow_site.list_processes, run_id)
        assert len(processes) >= 2
        job = await hear(lambda: backend.cancel(run_id))
        assert job.messages == () or job.messages[0].level == "info"
        assert (await follow(backend, run_id))[-1].state == "cancelled"
        await asyncio.to_thread(wait_until_gone, processes)


async def test_a_site_that_is_killed_gives_its_runs_up(slow_site: RunningWes, simulation: Simulation) -> None:
    async with open_account(slow_site) as backend:
        run_id = await backend.submit(offer_run(simulation.cohort, "imputehub-contract-7"))
        pid = slow_site.data_dir / "runs" / run_id[:2] / run_id / "run.pid"
        async with asyncio.timeout(30):
            while not pid.exists():  # noqa: ASYNC110
                await asyncio.sleep(POLL_S)
        await asyncio.to_thread(slow_site.kill)
        with pytest.raises(SiteError) as away:
            await backend.status(run_id)
        assert away.value.code == "connect_failed"
        await asyncio.to_thread(slow_site.start)
        job = (await follow(backend, run_id))[-1]
        assert (job.state, job.external_status) == ("dead", "SYSTEM_ERROR")
        assert job.messages[0].text == "The site was stopped while the run was at work."
