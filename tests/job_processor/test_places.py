"""A site takes so many jobs of an account at a time: the others wait here, in turn."""

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest

from microservices.job_processor.logic.submission import submit_run
from microservices.job_processor.logic.sweeping import SUBMIT, claim_due_runs
from tests.job_processor.cloudgene_stub import TOKEN
from tests.job_processor.conftest import Person, World, poll


@pytest.fixture
def shared(world: World) -> World:
    """A site that takes two jobs at a time, with a curated account that all share."""
    config = {"allow_private_network": True, "poll_first_s": 0.1, "hold_retry_s": 200, "max_concurrent_jobs": 2}
    world.peers.site = {"api_config": config, "credential_shared": True}
    world.peers.curated_credential = TOKEN
    return world


def new_borrower(world: World) -> Person:
    """Somebody without an account of their own."""
    person = world.new_person()
    world.peers.credentials.clear()
    return person


def list_statuses(person: Person, jobs: list[tuple[str, UUID]]) -> list[str]:
    return [person.get_run(job_id)["status"] for job_id, _run_id in jobs]


def test_what_finds_no_place_waits_and_says_so_and_the_site_is_not_asked(shared: World) -> None:
    person = new_borrower(shared)
    jobs = [person.submit_job() for _ in range(3)]
    for _job_id, run_id in jobs[:2]:
        submit_run(shared.engine, run_id)
    shared.site.on_probe = lambda: pytest.fail("asked")
    submit_run(shared.engine, jobs[2][1])
    assert list_statuses(person, jobs) == ["running", "running", "waiting_for_site"]
    run = person.get_run(jobs[2][0])
    assert "takes 2 jobs" in run["message"]
    assert run["next_try_at"] is not None


def test_many_workers_never_send_more_than_the_site_takes(shared: World) -> None:
    person = new_borrower(shared)
    jobs = [person.submit_job() for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda job: submit_run(shared.engine, job[1]), jobs))
    assert len(shared.site.jobs) <= 2
    for _job_id, run_id in jobs:
        submit_run(shared.engine, run_id)
    assert len(shared.site.jobs) == 2
    assert list_statuses(person, jobs).count("waiting_for_site") == 6


def test_a_place_goes_to_the_person_with_the_fewest_jobs_there_and_at_once(shared: World) -> None:
    busy, other = new_borrower(shared), new_borrower(shared)
    first, second, third = (busy.submit_job() for _ in range(3))
    late = other.submit_job()
    for _job_id, run_id in (first, second, third, late):
        submit_run(shared.engine, run_id)
    assert claim_due_runs(shared.engine.database, SUBMIT) == []
    shared.site.finish(shared.site.jobs[0])
    poll(shared, first[1])
    assert claim_due_runs(shared.engine.database, SUBMIT) == [late[1]]
    submit_run(shared.engine, third[1])
    assert list_statuses(busy, [third]) == ["waiting_for_site"]
    submit_run(shared.engine, late[1])
    assert list_statuses(other, [late]) == ["running"]
    shared.site.finish(shared.site.jobs[1])
    poll(shared, second[1])
    assert claim_due_runs(shared.engine.database, SUBMIT) == [third[1]]


def test_people_with_accounts_of_their_own_do_not_wait_for_others(shared: World) -> None:
    borrower = new_borrower(shared)
    owner = shared.new_person()
    theirs = [borrower.submit_job() for _ in range(2)]
    own = owner.submit_job()
    shared.site.hidden = True  # its list knows no accounts, and would show each those of the other
    for _job_id, run_id in (*theirs, own):
        submit_run(shared.engine, run_id)
    assert list_statuses(owner, [own]) == ["running"]
    assert len(shared.site.jobs) == 3


def test_a_cancelled_run_keeps_nobody_waiting(shared: World) -> None:
    person = new_borrower(shared)
    jobs = [person.submit_job() for _ in range(4)]
    for _job_id, run_id in jobs:
        submit_run(shared.engine, run_id)
    shared.client.post(f"/api/v1/jobs/{jobs[2][0]}/cancel", headers=person.headers)
    shared.client.post(f"/api/v1/jobs/{jobs[0][0]}/cancel", headers=person.headers)
    poll(shared, jobs[0][1])
    assert claim_due_runs(shared.engine.database, SUBMIT) == [jobs[3][1]]
    submit_run(shared.engine, jobs[3][1])
    assert list_statuses(person, jobs) == ["cancelled", "running", "cancelled", "running"]


def test_a_run_that_the_site_itself_found_no_place_for_is_due_when_one_is_free(world: World, person: Person) -> None:
    config = {"allow_private_network": True, "poll_first_s": 0.1, "hold_retry_s": 200}
    world.peers.site = {"api_config": config}
    first, second = person.submit_job(), person.submit_job()
    submit_run(world.engine, first[1])
    world.site.full = True
    submit_run(world.engine, second[1])
    assert claim_due_runs(world.engine.database, SUBMIT) == []
    world.site.finish(world.site.jobs[0])
    poll(world, first[1])
    assert claim_due_runs(world.engine.database, SUBMIT) == [second[1]]


def test_a_priority_goes_before_age_and_never_before_those_with_fewer_jobs_there(shared: World) -> None:
    busy, other = new_borrower(shared), new_borrower(shared)
    at_site = [busy.submit_job() for _ in range(2)]
    old, urgent = busy.submit_job(), busy.submit_job(priority="high")
    modest = other.submit_job(priority="low")
    for _job_id, run_id in (*at_site, old, urgent, modest):
        submit_run(shared.engine, run_id)
    turns = []
    for job, (_job_id, run_id) in zip(list(shared.site.jobs), at_site, strict=True):
        shared.site.finish(job)
        poll(shared, run_id)
        turns += claim_due_runs(shared.engine.database, SUBMIT)
        submit_run(shared.engine, turns[-1])
    assert turns == [modest[1], urgent[1]]


def test_a_run_that_waits_for_the_platform_keeps_nobody_from_its_place(world: World, person: Person) -> None:
    config = world.peers.describe_site()["site"]["api_config"] | {"max_concurrent_jobs": 1}
    world.peers.site = {"api_config": config}
    _first_job, first_id = person.submit_job()
    careful_job, careful_id = person.submit_job(residency={"countries": ["ZA"]})
    job_id, run_id = person.submit_job()
    for one in (first_id, careful_id, run_id):
        submit_run(world.engine, one)
    world.site.finish(world.site.jobs[0])
    poll(world, first_id)
    world.peers.site = {
        "api_config": config,
        "base_url": "http://127.0.0.1:1",
    }  # so the first is judged anew
    for one in (careful_id, run_id):
        submit_run(world.engine, one)
    assert person.get_run(careful_job)["message"].startswith("Waiting for a part of the platform")
    assert person.get_run(job_id)["status"] == "running"
