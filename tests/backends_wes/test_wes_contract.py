"""The adapter against WES servers that other people wrote: each has to pass the same tests."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from microservices.backends.base import CANCEL_STEP, SiteError, Submission
from microservices.backends.ga4gh_wes import WesBackend
from sandbox.accuracy import score
from sandbox.simulator import Simulation
from tests.backends_wes.servers import (
    Kind,
    RunningWesService,
    WesServer,
    find_mark,
    follow,
    hear,
    offer_cwl,
    offer_sandbox,
    open_account,
)
from tests.sandbox_wes.wes_site import RunningWes


@pytest.fixture
def sapporo(
    site: RunningWes, simulation: Simulation, unphased_cohort: Path, request: pytest.FixtureRequest, tmp_path: Path
) -> WesServer:
    def offer(kind: Kind, mark: str) -> Submission:
        return offer_sandbox(unphased_cohort if kind == "failing" else simulation.cohort, mark)

    def check(results: dict[str, bytes]) -> None:
        dose = tmp_path / "chr20.dose.vcf.gz"
        dose.write_bytes(results[dose.name])
        common = score(dose, simulation.truth, simulation.cohort, simulation.panel)[-1]
        assert common.r2 is not None
        assert common.r2 > 0.8

    return WesServer(
        software="Sapporo",
        version="2.4.0",
        connect=lambda: open_account(site),
        connect_slow=lambda: open_account(request.getfixturevalue("slow_site")),
        offer=offer,
        cancels=True,
        results=frozenset({"chr20.dose.vcf.gz", "chr20.info.gz"}),
        check=check,
    )


@pytest.fixture
def other(wes_service: RunningWesService, simulation: Simulation) -> WesServer:
    cohort = simulation.cohort.read_bytes()

    def check(results: dict[str, bytes]) -> None:
        assert results == {"imputed.vcf.gz": cohort}

    return WesServer(
        software="wes-service",
        version=None,
        connect=wes_service.connect,
        connect_slow=wes_service.connect,
        offer=lambda kind, mark: offer_cwl(kind, mark, cohort),
        cancels=False,
        results=frozenset({"imputed.vcf.gz"}),
        check=check,
    )


@pytest.fixture(params=["sapporo", "other"], ids=["sapporo", "wes-service"])
def server(request: pytest.FixtureRequest) -> WesServer:
    found: WesServer = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def mark(request: pytest.FixtureRequest) -> str:
    """One that no other test has."""
    return f"imputehub-{abs(hash(request.node.name)):x}"


async def test_a_server_is_recognised_and_answers_for_the_account(server: WesServer) -> None:
    async with server.connect() as backend:
        probe = await backend.probe()
        assert (probe.health, probe.version) == ("healthy", server.version), probe.message
        described = await backend.describe()
        assert (described.software, described.capabilities.cancels) == (server.software, server.cancels)
        assert (await backend.verify_credential()).valid


async def test_a_run_goes_from_the_recipe_to_checked_results(server: WesServer, mark: str, tmp_path: Path) -> None:
    async with server.connect() as backend:
        submission = server.offer("good", mark)
        run_id = await backend.submit(submission)
        assert await find_mark(backend, mark) == [run_id]
        told = await follow(backend, run_id)
        assert told[-1].state == "succeeded", await backend.failure_log(run_id)
        assert {job.progress for job in told[:-1]} <= {None}
        files = {file.filename: file for file in await backend.results(run_id, submission.recipe)}
        assert {name: file.kind for name, file in files.items()} == dict.fromkeys(server.results, "imputed_data")
        contents: dict[str, bytes] = {}
        for name, file in files.items():
            await backend.fetch(file, tmp_path / "spooled")
            (contents[name],) = [member.stream.read() for member in backend.unpack(file, tmp_path / "spooled", None)]
        server.check(contents)


async def test_a_run_that_fails_says_why_and_is_deleted_where_the_server_does_that(
    server: WesServer, mark: str
) -> None:
    async with server.connect() as backend:
        run_id = await backend.submit(server.offer("failing", mark))
        job = (await follow(backend, run_id))[-1]
        assert (job.state, job.external_status) == ("failed", "EXECUTOR_ERROR")
        assert (await backend.failure_log(run_id)).startswith("Your input data is unphased.")
        if (await backend.describe()).capabilities.deletes:
            await backend.delete(run_id)
            assert await await_deletion(backend, run_id) == "gone"
        else:
            with pytest.raises(SiteError) as refused:
                await backend.delete(run_id)
            assert refused.value.code == "not_offered"


async def test_a_cancel_ends_the_run_or_it_is_said_that_it_goes_on(server: WesServer, mark: str) -> None:
    async with server.connect_slow() as backend:
        run_id = await backend.submit(server.offer("slow", mark))
        job = await hear(lambda: backend.cancel(run_id))
        warned = [message.step for message in job.messages if message.level == "warning"]
        if server.cancels:
            assert warned == []
            assert (await follow(backend, run_id))[-1].state == "cancelled"
        else:
            assert (job.state, warned) == ("running", [CANCEL_STEP])


async def await_deletion(backend: WesBackend, run_id: str) -> str:
    """The state of the run once the server has removed it, which it does after it has answered."""
    async with asyncio.timeout(60):
        while True:
            job = await hear(lambda: backend.status(run_id))
            if job.external_status == "DELETED":
                return job.state
            await asyncio.sleep(0.05)


CHANGES: dict[str, dict[str, Any]] = {
    "type": {"workflow_type": "WDL"},
    "version": {"workflow_type_version": "v9.9"},
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
async def test_a_workflow_that_the_server_does_not_run_is_refused_before_anything_is_sent(
    server: WesServer, mark: str, change: dict[str, Any]
) -> None:
    submission = server.offer("good", mark)
    async with server.connect() as backend:
        with pytest.raises(SiteError) as refused:
            await backend.submit(replace(submission, recipe={**(submission.recipe or {}), **change}))
        assert (refused.value.code, refused.value.sent) == ("workflow_type_unknown", "nothing")
        assert await find_mark(backend, mark) == []
