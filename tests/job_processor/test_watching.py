"""Runs at sites are watched: no site's silence, lies or slowness costs another run its news."""

import threading
from typing import Any
from uuid import uuid4

import pytest

from microservices.backends.base import CANCEL_STEP, SiteJob, SiteMessage, Submission
from microservices.job_processor.logic.engine import LINES_PER_SITE
from microservices.job_processor.logic.polling import poll_due_runs
from microservices.job_processor.logic.sites import Memory, Sites
from microservices.kernel.errors import DependencyUnavailableError
from tests.job_processor.cloudgene_stub import Gate, StubJob
from tests.job_processor.conftest import Person, World, bring_to_site, let_age, make_due, poll
from tests.job_processor.healthy_adapter import HealthyAdapter, put_in_place


def tell(text: str, level: int) -> list[dict[str, Any]]:
    """The steps of a job with one message of the site (`level`: 0 fine, 1 error)."""
    message = {"success": True, "message": text, "type": level, "time": 0}
    return [{"id": 0, "name": "Phasing and Imputation", "empty": False, "logMessages": [message]}]


def test_a_site_without_news_fails_no_run(world: World, person: Person) -> None:
    job_id, run_id = bring_to_site(world, person)
    world.peers.site = {"base_url": "http://127.0.0.1:1"}
    world.engine.sites = Sites(world.engine.peers)  # as a worker that was just started
    poll(world, run_id)
    run = person.get_run(job_id)
    assert run["status"] == "running"
    assert "No news" in run["message"]


def test_one_slow_answer_delays_no_other_runs_news(world: World, person: Person) -> None:
    (slow_id, slow), (job_id, run_id) = (bring_to_site(world, person) for _ in range(2))
    gate = Gate()
    world.site.on_details = lambda job: gate.pass_through() if job is world.site.jobs[0] else None
    for job in world.site.jobs:
        world.site.finish(job)
    make_due(world, slow)
    make_due(world, run_id)
    ready = Gate()
    asked = poll_due_runs(world.engine, lambda _run_id: ready.arrived.set())
    ready.await_visitor()
    assert person.get_run(job_id)["status"] == "collecting"
    assert not asked.done()
    make_due(world, slow)
    poll_due_runs(world.engine, lambda _run_id: None).result(timeout=60)  # nor is the slow one asked twice at once
    gate.opened.set()
    asked.result(timeout=60)
    assert person.get_run(slow_id)["status"] == "collecting"


def test_words_that_cannot_be_stored_do_not_stop_the_watch(world: World, person: Person) -> None:
    jobs = [bring_to_site(world, person) for _ in range(2)]
    world.site.jobs[0].steps = tell("chunk 7\x00 \ud800 done " + "x" * 9000, 0)
    world.site.jobs[0].state = 2
    failed = world.site.jobs[1]
    failed.state, failed.position, failed.steps = 5, -1, tell("no \x00 chunk \ud83e left", 1)
    for _job_id, run_id in jobs:
        make_due(world, run_id)
    poll_due_runs(world.engine, lambda _run_id: None).result(timeout=60)
    running, ended = (person.get_run(job_id) for job_id, _run_id in jobs)
    assert "chunk 7 ? done" in running["message"]
    assert "no  chunk ? left" in ended["error"]["message"]


def test_only_a_job_that_is_denied_in_a_row_is_lost(world: World, person: Person) -> None:
    job_id, run_id = bring_to_site(world, person)
    address, world.peers.site_address = world.peers.site_address, "http://127.0.0.1:1"
    world.engine.sites = Sites(world.engine.peers)
    for _ in range(4):
        poll(world, run_id)
    world.peers.site_address = address
    world.engine.sites = Sites(world.engine.peers)
    world.site.denied = True
    for _ in range(4):
        poll(world, run_id)
    assert person.get_run(job_id)["status"] == "running"  # it is young: some sites know a job a little later
    let_age(world, run_id)
    poll(world, run_id)
    run = person.get_run(job_id)
    assert (run["status"], run["error"]["code"]) == ("failed", "site_lost_job")


def test_a_failure_just_after_a_cancel_is_looked_at_twice(world: World, person: Person) -> None:
    job_id, run_id = bring_to_site(world, person)
    world.client.post(f"/api/v1/jobs/{job_id}/cancel", headers=person.headers)
    job = world.site.jobs[0]
    job.state, job.position, job.steps = 5, -1, tell("stopped", 1)
    poll(world, run_id)
    assert person.get_run(job_id)["status"] == "running"
    job.state = 6
    poll(world, run_id)
    assert person.get_run(job_id)["status"] == "cancelled"


def test_a_site_that_does_not_cancel_is_asked_again_and_its_results_still_come(world: World, person: Person) -> None:
    job_id, run_id = bring_to_site(world, person)
    world.site.refuse_cancel = True
    world.client.post(f"/api/v1/jobs/{job_id}/cancel", headers=person.headers)
    poll(world, run_id)
    run = person.get_run(job_id)
    assert (run["status"], run["message"]) == ("running", "The site was asked to cancel.")
    world.site.refuse_cancel = False
    poll(world, run_id)
    assert (world.site.jobs[0].state, person.get_run(job_id)["status"]) == (6, "cancelled")


class StubbornAdapter(HealthyAdapter):
    """An adapter of a site that takes every job and ends none before its time."""

    async def submit(self, _submission: Submission) -> str:
        return "job-1"

    async def cancel(self, external_job_id: str) -> SiteJob:
        messages = (SiteMessage("Chunk", "info", "at work"), SiteMessage(CANCEL_STEP, "warning", "It goes on there."))
        return SiteJob(external_job_id, "", "running", "RUNNING", messages=messages)


def test_what_the_site_says_of_a_cancel_that_it_does_not_heed_is_shown(
    world: World, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_in_place(StubbornAdapter, world, monkeypatch)
    job_id, run_id = bring_to_site(world, person)
    world.client.post(f"/api/v1/jobs/{job_id}/cancel", headers=person.headers)
    poll(world, run_id)
    assert person.get_run(job_id)["message"] == "The site was asked to cancel. It goes on there."


@pytest.mark.parametrize("state", [-1, 7, None])
def test_a_cancelled_job_that_the_site_gave_up_deleted_or_lost_ends_as_cancelled(
    world: World, person: Person, state: int | None
) -> None:
    job_id, run_id = bring_to_site(world, person)
    world.client.post(f"/api/v1/jobs/{job_id}/cancel", headers=person.headers)
    world.site.refuse_cancel, world.site.denied = True, state is None
    let_age(world, run_id)
    world.site.jobs[0].state, world.site.jobs[0].position = state or 2, -1
    for _ in range(3):
        poll(world, run_id)
    run = person.get_run(job_id)
    assert (run["status"], run["error"]) == ("cancelled", None)


def test_a_run_is_watched_with_the_token_that_it_was_just_sent_with(world: World, person: Person) -> None:
    key = (str(person.user_id), str(world.peers.service_id))
    first_id, first = bring_to_site(world, person)
    poll(world, first)
    world.site.token = world.peers.credentials[key] = "a-renewed-token"
    bring_to_site(world, person)
    world.peers.credentials.clear()  # user_service cannot be asked now
    poll(world, first)
    assert person.get_run(first_id)["message"] == "Waiting in the site's queue."


def test_a_token_that_the_site_refused_is_asked_for_anew(world: World, person: Person) -> None:
    job_id, run_id = bring_to_site(world, person)
    world.site.token = "a-renewed-token"
    poll(world, run_id)
    assert "No news" in person.get_run(job_id)["message"]
    world.peers.credentials[str(person.user_id), str(world.peers.service_id)] = "a-renewed-token"
    poll(world, run_id)
    assert person.get_run(job_id)["message"] == "Waiting in the site's queue."


def test_a_site_is_asked_about_few_runs_at_once_and_keeps_no_other_site_waiting(world: World, person: Person) -> None:
    runs = [bring_to_site(world, person)[1] for _ in range(LINES_PER_SITE + 6)]
    for job in world.site.jobs:
        world.site.finish(job)
    gate, lock = Gate(), threading.Lock()
    at_once: list[int] = [0, 0]

    def count(_job: Any) -> None:
        with lock:
            at_once[0] += 1
            at_once[1] = max(at_once)
            if at_once[0] == LINES_PER_SITE:
                gate.arrived.set()
        assert gate.opened.wait(60)
        with lock:
            at_once[0] -= 1

    world.site.on_details = count
    for run_id in runs:
        make_due(world, run_id)
    asked = poll_due_runs(world.engine, lambda _run_id: None)
    gate.await_visitor()
    other = world.engine.lines_to_sites[uuid4()]
    assert not other.locked()
    gate.opened.set()
    asked.result(timeout=60)
    assert at_once == [0, LINES_PER_SITE]


def test_an_accounts_list_tells_of_its_many_runs_and_only_those_that_end_are_asked_for(
    world: World, person: Person
) -> None:
    jobs = [bring_to_site(world, person) for _ in range(9)]
    asked: list[StubJob] = []
    world.site.on_details = asked.append
    waiting, at_work, silent, ended = world.site.jobs[:4]
    at_work.state, at_work.steps = 2, tell("Imputation (1/4)", 0)
    silent.state = 2
    world.site.finish(ended)
    waiting.position = 3
    for _job_id, run_id in jobs:
        make_due(world, run_id)
    poll_due_runs(world.engine, lambda _run_id: None).result(timeout=60)
    runs = [person.get_run(job_id) for job_id, _run_id in jobs[:4]]
    assert sorted(job.id for job in asked) == sorted([silent.id, ended.id])  # at once, so in any order
    assert [run["status"] for run in runs] == ["running", "running", "running", "collecting"]
    assert runs[0]["queue_position"] == 3
    assert "Imputation (1/4)" in runs[1]["message"]
    assert runs[1]["progress"] > 0


def test_what_an_accounts_list_does_not_show_is_asked_for_by_itself(world: World, person: Person) -> None:
    jobs = [bring_to_site(world, person) for _ in range(8)]
    world.site.hidden = True
    for job in world.site.jobs:
        world.site.finish(job)
    for _job_id, run_id in jobs:
        make_due(world, run_id)
    poll_due_runs(world.engine, lambda _run_id: None).result(timeout=60)
    assert {person.get_run(job_id)["status"] for job_id, _run_id in jobs} == {"collecting"}


@pytest.mark.parametrize("known", [False, True], ids=["news", "nothing new"])
def test_a_cancel_that_comes_while_the_site_is_asked_is_passed_on_at_once(
    world: World, person: Person, known: bool
) -> None:
    """Also where the answer leaves nothing to write."""
    world.peers.site = {"api_config": {"allow_private_network": True, "poll_first_s": 200}}
    job_id, run_id = bring_to_site(world, person)
    if known:
        poll(world, run_id)
    gate = Gate()
    world.site.on_details = gate.pass_through
    make_due(world, run_id)
    asked = poll_due_runs(world.engine, lambda _run_id: None)
    gate.await_visitor()
    world.client.post(f"/api/v1/jobs/{job_id}/cancel", headers=person.headers)
    gate.opened.set()
    asked.result(timeout=60)
    poll_due_runs(world.engine, lambda _run_id: None).result(timeout=60)
    assert person.get_run(job_id)["status"] == "cancelled"


def test_a_service_of_ours_that_is_away_is_left_alone_and_its_last_answer_used() -> None:
    now = 0.0
    memory: Memory[str, int] = Memory(lambda: now)
    asked: list[str] = []

    def answer() -> int:
        return 1

    def be_away() -> int:
        asked.append("asked")
        raise DependencyUnavailableError("away")

    assert memory.get("site", answer) == 1
    now = 31
    assert [memory.get("site", be_away) for _ in range(3)] == [1, 1, 1]
    for _ in range(3):
        with pytest.raises(DependencyUnavailableError):
            memory.get("another site", be_away)
    assert asked == ["asked"]
    now = 37
    assert memory.get("another site", answer) == 1
    now = 3601
    with pytest.raises(DependencyUnavailableError):
        memory.get("site", be_away)
