"""When a run will be done, and whether it is far slower than usual, by what its site took for others."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from microservices.contracts.registry import SiteCapabilities
from microservices.job_processor.logic.estimates import Durations, Kind, tell_span
from microservices.job_processor.logic.sites import Sites
from microservices.job_processor.logic.stalling import move_stalled_runs
from microservices.job_processor.models import Job, JobInput, Run
from microservices.kernel.db import utc_now
from tests.job_processor.conftest import Person, World, bring_to_site

CANCELS_NOTHING = dict.fromkeys(SiteCapabilities.model_fields) | {"cancels": False}
MINUTES = (30, 35, 38, 40, 42, 45, 60)


def add_completed(
    world: World,
    minutes: tuple[int, ...] = MINUTES,
    *,
    size: int = 1000,
    mode: str = "imputation",
    panel_id: UUID | None = None,
) -> None:
    """Runs of other people at the site's first panel, if no other is named, that took so long."""
    peers, now = world.peers, utc_now()
    with world.engine.database.transaction() as session:
        for took in minutes:
            own = {"organization_id": uuid4(), "owner_id": uuid4()}
            job = Job(**own, name="done", status="completed", parameters={"mode": mode})
            job.inputs = [JobInput(position=0, file_id=uuid4(), filename="a.vcf.gz", size=size, sha256="0")]
            place = {
                "service_id": peers.service_id,
                "panel_id": panel_id or peers.panel_id,
                "panel_key": "p",
                "choices": [],
            }
            ended = {"status": "completed", "external_job_id": "x", "finished_at": now}
            began = now - timedelta(minutes=took)
            job.runs = [Run(position=0, **own, **place, **ended, submitted_at=began)]
            session.add(job)


def let_run_for(world: World, run_id: UUID, **span: float) -> None:
    with world.engine.database.transaction() as session:
        session.get_one(Run, run_id).submitted_at = utc_now() - timedelta(**span)


def read_time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def test_a_run_is_expected_to_take_as_long_as_those_before_it(world: World, person: Person) -> None:
    add_completed(world)
    job_id, run_id = bring_to_site(world, person)
    run = person.get_run(job_id)
    assert read_time(run["estimated_finish_at"]) - read_time(run["submitted_at"]) == pytest.approx(
        timedelta(minutes=40), abs=timedelta(seconds=2)
    )
    assert (run["is_slow"], run["pace"]) == (False, "")
    let_run_for(world, run_id, minutes=43)  # by then it is one of those that take longer: 45 or 60 minutes
    run = person.get_run(job_id)
    assert read_time(run["estimated_finish_at"]) - read_time(run["submitted_at"]) == pytest.approx(
        timedelta(minutes=52.5), abs=timedelta(seconds=2)
    )


def test_a_run_that_takes_far_longer_is_said_to_be_slow(world: World, person: Person) -> None:
    add_completed(world)
    job_id, run_id = bring_to_site(world, person)
    let_run_for(world, run_id, hours=3)
    run = person.get_run(job_id)
    assert (run["is_slow"], run["estimated_finish_at"]) == (True, None)
    assert run["pace"] == "Far slower than usual at this site: 3 h, usually 40 min."


@pytest.mark.parametrize(
    "others", [{"minutes": (40, 40)}, {"size": 4001}, {"size": 249}, {"mode": "qc_only"}, {"panel_id": uuid4()}]
)
def test_nothing_is_guessed_from_too_few_or_from_what_is_not_alike(
    world: World, person: Person, others: dict[str, Any]
) -> None:
    add_completed(world, **others)
    job_id, run_id = bring_to_site(world, person)
    let_run_for(world, run_id, days=3)
    run = person.get_run(job_id)
    assert (run["estimated_finish_at"], run["is_slow"], run["pace"]) == (None, False, "")


def test_nothing_that_takes_minutes_is_slow(world: World, person: Person) -> None:
    add_completed(world, (1,) * 5)
    job_id, run_id = bring_to_site(world, person)
    let_run_for(world, run_id, minutes=9)
    assert person.get_run(job_id)["is_slow"] is False
    let_run_for(world, run_id, minutes=11)
    assert person.get_run(job_id)["is_slow"] is True


def test_a_run_that_is_not_at_its_site_has_no_estimate(world: World, person: Person) -> None:
    add_completed(world)
    job_id, _run_id = person.submit_job()
    assert person.get_run(job_id)["estimated_finish_at"] is None


def test_what_runs_took_is_remembered_for_some_minutes(world: World) -> None:
    durations, kind = Durations(), Kind(str(world.peers.service_id), str(world.peers.panel_id), "imputation")
    for _ in range(2):
        add_completed(world, (40,))
        with world.engine.database.reading() as cursor:
            assert len(durations.list_done(cursor, kind)) == 1


def test_a_stalled_run_is_asked_back_where_it_has_somewhere_else_to_go(world: World, person: Person) -> None:
    add_completed(world)
    first, second = person.describe_targets()
    stays, stays_id = bring_to_site(world, person)
    goes, goes_id = bring_to_site(world, person, targets=[first | {"alternates": [second]}])
    for run_id in (stays_id, goes_id):
        let_run_for(world, run_id, hours=3)
    move_stalled_runs(world.engine)
    assert person.get_run(goes)["move_requested_at"] is None  # slow, but not as slow as that
    for run_id in (stays_id, goes_id):
        let_run_for(world, run_id, hours=5)
    world.peers.capabilities = CANCELS_NOTHING
    world.engine.sites = Sites(world.engine.peers)
    move_stalled_runs(world.engine)
    assert person.get_run(goes)["move_requested_at"] is None  # it would be asked in vain
    world.peers.capabilities = None
    world.engine.sites = Sites(world.engine.peers)
    move_stalled_runs(world.engine)
    assert person.get_run(stays)["move_requested_at"] is None
    run = person.get_run(goes)
    assert (run["status"], run["move_requested_at"] is None) == ("running", False)
    assert "Asking the site to cancel, to go on elsewhere. Far slower" in run["message"]


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.2, "1 s"), (50, "50 s"), (2400, "40 min"), (10_800, "3 h"), (200_000, "2 days")]
)
def test_spans_are_told_in_the_unit_that_people_would_use(seconds: float, words: str) -> None:
    assert tell_span(seconds) == words
