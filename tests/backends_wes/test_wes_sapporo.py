"""The adapter against what only sapporo has: accounts, addresses that it fetches, engines that it ends."""

import asyncio
import functools
import http.server
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from microservices.backends.base import JobNotFoundError, SiteError
from sandbox.simulator import Simulation
from tests.backends_wes.servers import POLL_S, RECIPE, find_mark, follow, offer_sandbox, open_account
from tests.backends_wes.wes_stub import open_wes
from tests.sandbox_wes.wes_site import RunningWes


async def test_other_accounts_see_nothing_of_it_and_strangers_are_refused(
    site: RunningWes, simulation: Simulation, tmp_path: Path
) -> None:
    async with open_account(site) as alice, open_account(site, "bob") as bob:
        run_id = await alice.submit(offer_sandbox(simulation.cohort, "imputehub-contract-2"))
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
        submission = offer_sandbox(simulation.cohort, "imputehub-contract-3")
        url = f"http://127.0.0.1:{server.server_port}/cohort.vcf.gz?signature=s3cret"
        (file,) = submission.files
        async with open_account(site, input_mode="url") as backend:
            run_id = await backend.submit(replace(submission, files=(replace(file, url=url),)))
            assert (await follow(backend, run_id))[-1].state == "succeeded", await backend.failure_log(run_id)
        server.shutdown()


async def test_a_recipe_that_the_site_does_not_run_is_refused_with_its_words(
    site: RunningWes, simulation: Simulation
) -> None:
    async with open_account(site) as backend:
        submission = offer_sandbox(simulation.cohort, "imputehub-contract-5")
        with pytest.raises(SiteError) as refused:
            await backend.submit(replace(submission, recipe={**RECIPE, "workflow_engine": "cwltool"}))
        assert (refused.value.code, refused.value.sent) == ("refused", "nothing")
        assert "Invalid workflow_engine: cwltool" in refused.value.message
        assert await find_mark(backend, "imputehub-contract-5") == []


async def test_a_site_that_is_killed_gives_its_runs_up(slow_site: RunningWes, simulation: Simulation) -> None:
    async with open_account(slow_site) as backend:
        run_id = await backend.submit(offer_sandbox(simulation.cohort, "imputehub-contract-7"))
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
