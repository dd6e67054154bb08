"""A run goes on at its alternate only while surely nothing of it is at the first site: never two jobs of one run."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import text

from microservices.job_processor.logic.lifecycle import change_run
from microservices.job_processor.logic.sites import Sites
from microservices.job_processor.logic.submission import submit_run
from microservices.job_processor.logic.sweeping import SUBMIT, claim_due_runs
from microservices.job_processor.models import Run
from microservices.job_processor.queries import lock_run
from tests.job_processor.cloudgene_stub import answer_with_a_page
from tests.job_processor.conftest import PANEL, Person, SecondSite, World, let_age, poll


def submit_with_alternate(person: Person, second: SecondSite, **changes: Any) -> tuple[str, UUID]:
    target = person.describe_targets()[0] | {"alternates": [second.describe_choice()]}
    return person.submit_job(targets=[target], **changes)


def try_again(world: World, run_id: UUID, *, minutes: int = 0) -> None:
    """As if the site had been away since so many minutes more."""
    with world.engine.database.transaction() as session:
        sql = "UPDATE job_runs SET away_since = away_since - CAST(:ago AS interval) WHERE id = :id"
        session.execute(text(sql), {"ago": timedelta(minutes=minutes), "id": run_id})
    submit_run(world.engine, run_id)


def ask_to_move(person: Person, job_id: str, run_id: UUID) -> httpx.Response:
    return person.world.client.post(f"/api/v1/jobs/{job_id}/runs/{run_id}/move", headers=person.headers)


def count_live(world: World, second: SecondSite) -> tuple[int, int]:
    """Jobs of one run that go on at the two sites."""
    first_jobs, second_jobs = ([job for job in site.jobs if job.state == 1] for site in (world.site, second.stub))
    return len(first_jobs), len(second_jobs)


def fill(world: World) -> None:
    world.site.full = True


def close(world: World) -> None:
    world.site.maintenance = True


@pytest.mark.parametrize("trouble", [fill, close])
def test_a_site_that_is_away_too_long_loses_the_run_to_the_alternate(
    world: World, person: Person, second: SecondSite, trouble: Any
) -> None:
    job_id, run_id = submit_with_alternate(person, second)
    trouble(world)
    submit_run(world.engine, run_id)
    try_again(world, run_id, minutes=14)
    run = person.get_run(job_id)
    assert (run["status"], run["service_id"]) == ("waiting_for_site", str(world.peers.service_id))
    assert run["alternates"] == [second.describe_choice()]
    try_again(world, run_id, minutes=2)
    run = person.get_run(job_id)
    assert (run["status"], run["service_id"], run["alternates"]) == ("waiting_for_site", str(second.service_id), [])
    assert run["message"].startswith("The run was moved from 'Panel' at 'Stub site' to 'Other panel' at 'Second site'.")
    submit_run(world.engine, run_id)
    run = person.get_run(job_id)
    assert (run["id"], run["status"], count_live(world, second)) == (str(run_id), "running", (0, 1))
    assert second.stub.jobs[0].fields["refpanel"] == "apps@other@1.0.0"
    events = world.client.get(f"/api/v1/jobs/{job_id}/events", headers=person.headers).json()["items"]
    assert sum("was moved from" in event["message"] for event in events) == 1


def test_a_run_that_waits_too_long_for_its_turn_goes_to_the_alternate(
    world: World, person: Person, second: SecondSite
) -> None:
    world.peers.site = {"api_config": world.peers.describe_site()["site"]["api_config"] | {"max_concurrent_jobs": 1}}
    _first_job, first_id = person.submit_job()
    submit_run(world.engine, first_id)
    job_id, run_id = submit_with_alternate(person, second)
    submit_run(world.engine, run_id)
    assert "waits for its turn" in person.get_run(job_id)["message"]
    try_again(world, run_id, minutes=16)
    submit_run(world.engine, run_id)
    assert (person.get_run(job_id)["status"], count_live(world, second)) == ("running", (1, 1))
    with world.engine.database.transaction() as session:
        assert session.get_one(Run, run_id).waits_for is None


def test_a_site_that_comes_back_in_time_keeps_the_run(world: World, person: Person, second: SecondSite) -> None:
    job_id, run_id = submit_with_alternate(person, second)
    close(world)
    submit_run(world.engine, run_id)
    world.site.maintenance, world.site.token_valid = False, False
    try_again(world, run_id, minutes=60)  # it answers: the person's token is what is missing now
    close(world)
    try_again(world, run_id, minutes=60)
    assert person.get_run(job_id)["service_id"] == str(world.peers.service_id)


def test_a_site_that_is_no_longer_in_use_loses_the_run_at_once(
    world: World, person: Person, second: SecondSite
) -> None:
    job_id, run_id = submit_with_alternate(person, second)
    world.peers.site = {"is_active": False}
    for _ in range(2):
        submit_run(world.engine, run_id)
    assert person.get_run(job_id)["status"] == "running"
    assert count_live(world, second) == (0, 1)


def test_a_run_whose_site_took_it_and_lost_the_answer_stays_there(
    world: World, person: Person, second: SecondSite
) -> None:
    job_id, run_id = submit_with_alternate(person, second)
    world.site.submission_answer = answer_with_a_page
    submit_run(world.engine, run_id)
    close(world)
    world.site.hidden = True  # and its list does not show the job: whether it has it is not known
    for _ in range(2):
        with world.engine.database.transaction() as session:
            session.execute(text("UPDATE job_runs SET away_since = now() - interval '5 hours'"))
        submit_run(world.engine, run_id)
    assert ask_to_move(person, job_id, run_id).status_code == 409
    run = person.get_run(job_id)
    assert (run["status"], run["service_id"], second.stub.received) == ("submitting", str(world.peers.service_id), 0)
    vars(world.site).update(maintenance=False, hidden=False, submission_answer=None)
    submit_run(world.engine, run_id)
    assert person.get_run(job_id)["status"] == "running"
    assert count_live(world, second) == (1, 0)


def test_a_run_that_is_to_move_goes_once_the_site_has_cancelled(
    world: World, person: Person, second: SecondSite
) -> None:
    job_id, run_id = submit_with_alternate(person, second)
    submit_run(world.engine, run_id)
    world.site.refuse_cancel = True
    answer = ask_to_move(person, job_id, run_id)
    assert (answer.status_code, answer.json()["runs"][0]["move_requested_at"] is None) == (202, False)
    poll(world, run_id)
    submit_run(world.engine, run_id)
    assert (person.get_run(job_id)["status"], count_live(world, second)) == ("running", (1, 0))
    world.site.refuse_cancel = False
    poll(world, run_id)
    run = person.get_run(job_id)
    assert (run["status"], run["service_id"], run["progress"]) == ("waiting_for_site", str(second.service_id), 0)
    submit_run(world.engine, run_id)
    run = person.get_run(job_id)
    assert (run["status"], run["attempts"], run["move_requested_at"]) == ("running", 2, None)
    assert count_live(world, second) == (0, 1)


def test_a_site_that_was_done_before_it_could_cancel_keeps_the_run(
    world: World, person: Person, second: SecondSite
) -> None:
    job_id, run_id = submit_with_alternate(person, second)
    submit_run(world.engine, run_id)
    world.site.finish(world.site.jobs[0])
    ask_to_move(person, job_id, run_id)
    assert poll(world, run_id) == [run_id]
    run = person.get_run(job_id)
    assert (run["status"], run["move_requested_at"], second.stub.received) == ("collecting", None, 0)
    assert "nothing to move" in ask_to_move(person, job_id, run_id).json()["detail"]


def test_a_job_that_is_cancelled_while_its_run_is_to_move_ends(
    world: World, person: Person, second: SecondSite
) -> None:
    job_id, run_id = submit_with_alternate(person, second)
    submit_run(world.engine, run_id)
    ask_to_move(person, job_id, run_id)
    world.client.post(f"/api/v1/jobs/{job_id}/cancel", headers=person.headers)
    poll(world, run_id)
    assert (person.get_run(job_id)["status"], second.stub.received) == ("cancelled", 0)


def test_a_site_that_does_not_know_the_job_any_more_lets_it_move(
    world: World, person: Person, second: SecondSite
) -> None:
    job_id, run_id = submit_with_alternate(person, second)
    submit_run(world.engine, run_id)
    let_age(world, run_id)
    ask_to_move(person, job_id, run_id)
    world.site.denied = True
    for _ in range(3):
        assert person.get_run(job_id)["status"] == "running"
        poll(world, run_id)
    assert person.get_run(job_id)["service_id"] == str(second.service_id)
    with world.engine.database.transaction() as session:
        assert session.get_one(Run, run_id).setbacks == 0  # those were of the site that it left


def test_the_place_of_a_run_that_moves_goes_to_whoever_waits_for_it(
    world: World, person: Person, second: SecondSite
) -> None:
    config = {"allow_private_network": True, "poll_first_s": 0.1, "hold_retry_s": 200, "max_concurrent_jobs": 1}
    world.peers.site = {"api_config": config}
    job_id, run_id = submit_with_alternate(person, second)
    _waiting_job, waiting = person.submit_job()
    for one in (run_id, waiting):
        submit_run(world.engine, one)
    ask_to_move(person, job_id, run_id)
    assert claim_due_runs(world.engine.database, SUBMIT) == []
    poll(world, run_id)
    assert set(claim_due_runs(world.engine.database, SUBMIT)) == {run_id, waiting}


def test_a_held_run_moves_as_soon_as_it_is_asked_to(world: World, person: Person, second: SecondSite) -> None:
    job_id, run_id = submit_with_alternate(person, second)
    close(world)
    submit_run(world.engine, run_id)
    assert ask_to_move(person, job_id, run_id).status_code == 202
    for _ in range(2):
        submit_run(world.engine, run_id)
    assert (person.get_run(job_id)["status"], count_live(world, second)) == ("running", (0, 1))
    again = ask_to_move(person, job_id, run_id)
    assert (again.status_code, again.json()["code"]) == (409, "job_state")
    assert "no alternate left" in again.json()["detail"]
    assert ask_to_move(world.new_person(), job_id, run_id).status_code == 404
    assert ask_to_move(person, job_id, uuid4()).json()["code"] == "run_not_found"


def test_a_run_that_is_to_move_while_its_site_is_being_probed_is_not_sent_there(
    world: World, person: Person, second: SecondSite
) -> None:
    job_id, run_id = submit_with_alternate(person, second)
    world.site.on_probe = lambda: ask_to_move(person, job_id, run_id).raise_for_status()
    submit_run(world.engine, run_id)
    run = person.get_run(job_id)
    assert (run["service_id"], run["attempts"], world.site.received) == (str(second.service_id), 0, 0)


def test_residency_is_decided_for_the_alternate_too(world: World, person: Person, second: SecondSite) -> None:
    job_id, run_id = submit_with_alternate(person, second, residency={"countries": ["ZA", "KE"]})
    world.peers.site = {"country": "US"}
    world.engine.sites = Sites(world.engine.peers)
    for _ in range(2):
        submit_run(world.engine, run_id)
    assert (person.get_run(job_id)["status"], count_live(world, second)) == ("running", (0, 1))
    route = f"/api/v1/jobs/{job_id}/residency-decisions"
    decisions = world.client.get(route, headers=person.headers).json()["items"]
    assert [(one["country"], one["is_allowed"]) for one in decisions] == [("US", False), ("KE", True)]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"residency": {"countries": ["ZA"]}}, "job_refused"),
        ({"alternates": [{"service_id": str(uuid4()), "panel_id": str(PANEL)}]}, "service_not_found"),
        ({"alternates": "own"}, "duplicate_target"),
        ({"alternates": [{"service_id": "x"}]}, "invalid_input"),
        ({"failover_after_s": -1}, "invalid_input"),
    ],
)
def test_an_alternate_is_checked_like_a_target(
    person: Person, second: SecondSite, changes: dict[str, Any], code: str
) -> None:
    target: dict[str, Any] = person.describe_targets()[0] | {"alternates": [second.describe_choice()]}
    own = {"alternates": [person.describe_targets()[0]]} if changes.get("alternates") == "own" else {}
    of_target = {name: value for name, value in changes.items() if name != "residency"}
    of_job = {name: value for name, value in changes.items() if name == "residency"}
    answer = person.post_job(targets=[target | of_target | own], **of_job)
    assert answer.json()["code"] == code, answer.text


def test_a_panel_that_a_sibling_has_is_no_alternate(world: World, person: Person, second: SecondSite) -> None:
    own, choice = person.describe_targets()[0], second.describe_choice()
    job = person.post_job(targets=[own | {"alternates": [choice]}, choice]).json()
    assert [run["alternates"] for run in job["runs"]] == [[], []]
    assert ask_to_move(person, job["id"], UUID(job["runs"][0]["id"])).status_code == 409


@pytest.mark.parametrize("end", ["cancelled", "failed"])
def test_a_panel_at_which_a_sibling_came_to_nothing_is_an_alternate(
    world: World, person: Person, second: SecondSite, end: str
) -> None:
    own, choice = person.describe_targets()[0], second.describe_choice()
    job = person.post_job(targets=[own | {"alternates": [choice]}, choice]).json()
    with world.engine.database.transaction() as session:
        sibling = lock_run(session, UUID(job["runs"][1]["id"]))
        assert sibling is not None
        change_run(session, sibling, end, "So it is.")
    assert person.get_job(job["id"])["runs"][0]["alternates"] == [choice]
