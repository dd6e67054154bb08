"""Two runs of a job have one alternate: one gets it; the other is not stuck, nor lost, nor in the way of others."""

from uuid import UUID, uuid4

from microservices.job_processor.logic.submission import submit_run
from tests.job_processor.conftest import Person, World, poll

PANEL = uuid4()


def submit_siblings(world: World, person: Person, *, most: int | None = None) -> tuple[str, list[UUID]]:
    """The job and its two runs, each at a panel of its own, with a third panel as the one alternate of both."""
    site = world.peers.describe_site()["site"]
    third = site["panels"][0] | {"id": str(PANEL), "panel_id": "apps@third@1.0.0"}
    world.peers.site = {
        "panels": [*site["panels"], third],
        "api_config": site["api_config"] | {"max_concurrent_jobs": most},
    }
    alternate = {"service_id": str(world.peers.service_id), "panel_id": str(PANEL)}
    targets = [target | {"alternates": [alternate]} for target in person.describe_targets()]
    job = person.post_job(targets=targets).json()
    return job["id"], [UUID(run["id"]) for run in job["runs"]]


def ask_to_move(person: Person, job_id: str, run_id: UUID) -> None:
    path = f"/api/v1/jobs/{job_id}/runs/{run_id}/move"
    assert person.world.client.post(path, headers=person.headers).status_code == 202


def test_a_run_whose_alternate_a_sibling_took_meanwhile_stays_and_keeps_nobody_waiting(
    world: World, person: Person
) -> None:
    _job, running_id = person.submit_job()
    job_id, (first, second) = submit_siblings(world, person, most=1)
    for run_id in (running_id, first, second):
        submit_run(world.engine, run_id)
    assert "waits for its turn" in person.get_run(job_id)["message"]
    for run_id in (first, second):
        ask_to_move(person, job_id, run_id)
    submit_run(world.engine, second)
    assert person.get_job(job_id)["runs"][1]["panel_id"] == str(PANEL)
    world.site.finish(world.site.jobs[0])
    poll(world, running_id)
    for run_id in (first, second):
        submit_run(world.engine, run_id)
    runs = person.get_job(job_id)["runs"]
    assert [run["status"] for run in runs] == ["running", "waiting_for_site"]
    assert (runs[0]["panel_id"], runs[0]["move_requested_at"]) == (str(world.peers.panel_id), None)


def test_a_run_that_was_cancelled_at_its_site_for_an_alternate_that_is_gone_can_be_retried(
    world: World, person: Person
) -> None:
    job_id, (first, second) = submit_siblings(world, person)
    for run_id in (first, second):
        submit_run(world.engine, run_id)
        ask_to_move(person, job_id, run_id)
    for run_id in (first, second):
        poll(world, run_id)
    # Both were due at once: whichever the site answers first is the one that moves.
    moved, left = sorted(person.get_job(job_id)["runs"], key=lambda run: run["status"] == "failed")
    assert (moved["status"], moved["panel_id"]) == ("waiting_for_site", str(PANEL))
    assert (left["status"], left["error"]["code"]) == ("failed", "no_alternate_left")
    answer = world.client.post(f"/api/v1/jobs/{job_id}/retry", headers=person.headers)
    retried = {run["id"]: run["status"] for run in answer.json()["runs"]}
    assert (answer.status_code, retried[left["id"]]) == (202, "queued")
