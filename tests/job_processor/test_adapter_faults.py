"""A fault that nobody has thought of, in one adapter, stops the watching of no other account."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
from fastapi.responses import HTMLResponse

from microservices.backends.base import SiteJob
from microservices.backends.michigan import MichiganBackend
from microservices.job_processor.logic import polling
from microservices.job_processor.logic.polling import poll_due_runs
from microservices.job_processor.logic.sites import Sites
from tests.job_processor.cloudgene_stub import TOKEN, Gate
from tests.job_processor.conftest import Person, World, bring_to_site, make_due, poll


def test_a_list_that_breaks_the_adapter_costs_no_run_its_news(
    world: World, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def list_states(_self: MichiganBackend) -> AsyncIterator[SiteJob]:
        raise KeyError("pages")
        yield

    monkeypatch.setattr(polling, "_WORTH_LISTING", 1)
    monkeypatch.setattr(MichiganBackend, "list_states", list_states)
    job_id, run_id = bring_to_site(world, person)
    world.site.finish(world.site.jobs[0])
    make_due(world, run_id)
    poll_due_runs(world.engine, lambda _run_id: None).result(timeout=60)
    assert person.get_run(job_id)["status"] == "collecting"


def test_an_account_that_cannot_be_opened_costs_no_other_its_news(
    world: World, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id, run_id = bring_to_site(world, person)
    world.site.finish(world.site.jobs[0])
    other_site = uuid4()
    site = world.peers.describe_site()
    world.peers.others[other_site] = site | {"site": site["site"] | {"id": str(other_site)}}
    world.peers.credentials[str(person.user_id), str(other_site)] = TOKEN
    target = {"service_id": str(other_site), "panel_id": str(world.peers.panel_id)}
    other_job_id, other_id = bring_to_site(world, person, targets=[target])
    gate, open_really = Gate(), Sites.open
    world.site.on_details = lambda _job: gate.pass_through()

    async def open_or_break(sites: Sites, record: Any, account: Any) -> Any:
        if record.site.id == other_site:
            gate.opened.set()  # only after this breaks does the healthy site's answer come
            raise KeyError("broken adapter")
        return await open_really(sites, record, account)

    monkeypatch.setattr(Sites, "open", open_or_break)
    for one in (run_id, other_id):
        make_due(world, one)
    poll_due_runs(world.engine, lambda _run_id: None).result(timeout=60)
    assert person.get_run(job_id)["status"] == "collecting"
    assert person.get_run(other_job_id)["status"] == "running"
    monkeypatch.undo()
    world.site.finish(world.site.jobs[1])
    make_due(world, other_id)
    poll_due_runs(world.engine, lambda _run_id: None).result(timeout=60)
    assert person.get_run(other_job_id)["status"] == "collecting"


def test_a_job_that_failed_ends_though_the_site_gives_no_log_of_it(world: World, person: Person) -> None:
    job_id, run_id = bring_to_site(world, person)
    world.site.jobs[0].state, world.site.jobs[0].position = 5, -1
    world.site.log_answer = lambda: HTMLResponse("<html>Not Found</html>", status_code=404)
    poll(world, run_id)
    assert person.get_run(job_id)["status"] == "running"  # it may be given a little later
    for _ in range(2):
        poll(world, run_id)
    run = person.get_run(job_id)
    assert run["status"] == "failed"
    assert "gives no reason" in run["error"]["message"]
