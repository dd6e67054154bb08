"""When a run is looked at again: sooner or later by its troubles and its age, and by what the site wishes."""

from datetime import timedelta
from uuid import UUID

import pytest

from microservices.backends.base import SiteFile, SiteJob, SiteProbe, SiteUnavailableError, Submission
from microservices.job_processor.logic.collection import collect_results
from microservices.job_processor.logic.submission import submit_run
from microservices.job_processor.models import Run
from microservices.kernel.db import utc_now
from tests.job_processor.conftest import Person, World, bring_to_site, poll
from tests.job_processor.healthy_adapter import HealthyAdapter, put_in_place

_LATER_S = 1800


class BusyAdapter(HealthyAdapter):
    """Of a site that has too much to do, and says when to come again."""

    busy_with = ""

    def _refuse(self, step: str) -> None:
        if self.busy_with == step:
            raise SiteUnavailableError("Too many requests.", code="too_many_requests", retry_after_s=_LATER_S)

    async def probe(self) -> SiteProbe:
        self._refuse("probe")
        return await super().probe()

    async def submit(self, _submission: Submission) -> str:
        return "job-1"

    async def status(self, external_job_id: str) -> SiteJob:
        self._refuse("status")
        return SiteJob(external_job_id, "", "succeeded", "COMPLETE")

    async def results(self, _external_job_id: str, _recipe: object) -> list[SiteFile]:
        self._refuse("results")
        return []


def pause_s(world: World, run_id: UUID) -> float:
    with world.engine.database.transaction() as session:
        return (session.get_one(Run, run_id).next_action_at - utc_now()).total_seconds()


@pytest.mark.parametrize("step", ["probe", "status", "results"])
def test_a_site_is_left_alone_for_as_long_as_it_wishes(
    world: World, person: Person, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    put_in_place(BusyAdapter, world, monkeypatch)
    monkeypatch.setattr(BusyAdapter, "busy_with", step)
    _job_id, run_id = person.submit_job()
    submit_run(world.engine, run_id)
    if step != "probe":
        poll(world, run_id)
    if step == "results":
        collect_results(world.engine, run_id)
    assert _LATER_S - 60 < pause_s(world, run_id) <= _LATER_S


def test_each_try_for_nothing_doubles_the_pause_up_to_five_minutes(world: World, person: Person) -> None:
    world.peers.site = {"api_config": {"allow_private_network": True, "hold_retry_s": 40}}
    world.site.maintenance = True
    _job_id, run_id = person.submit_job()
    pauses = []
    for _ in range(5):
        submit_run(world.engine, run_id)
        pauses.append(pause_s(world, run_id))
    for pause, most in zip(pauses, (40, 80, 160, 300, 300), strict=True):
        assert most - 20 < pause <= most


@pytest.mark.parametrize(("hours", "most"), [(0.1, 36), (0.5, 180), (100, 240)])
def test_the_older_a_run_the_seldomer_its_site_is_asked(
    world: World, person: Person, hours: float, most: float
) -> None:
    world.peers.site = {"api_config": {"allow_private_network": True, "poll_first_s": 5, "poll_max_s": 240}}
    _job_id, run_id = bring_to_site(world, person)
    with world.engine.database.transaction() as session:
        session.get_one(Run, run_id).submitted_at = utc_now() - timedelta(hours=hours)
    for _ in range(2):  # with news, and without
        poll(world, run_id)
        assert most - 15 < pause_s(world, run_id) <= most + 5
