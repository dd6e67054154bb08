"""What is not there any more when a run needs it: site, credential, input. What is at a site is not given up."""

from uuid import UUID, uuid4

from microservices.job_processor.logic.collection import collect_results
from microservices.job_processor.logic.sites import Sites
from microservices.job_processor.logic.submission import submit_run
from tests.job_processor.cloudgene_stub import TOKEN, answer_with_a_page
from tests.job_processor.conftest import Person, World, bring_to_end, bring_to_site, poll


def delete_site(world: World) -> UUID:
    known = world.peers.service_id
    world.peers.service_id = uuid4()
    world.engine.sites = Sites(world.engine.peers)  # so long after that nothing of it is remembered
    return known


def test_a_site_that_is_deleted_ends_what_was_never_sent_and_nothing_else(world: World, person: Person) -> None:
    unsent_id, unsent = person.submit_job()
    sent_id, sent = bring_to_site(world, person)
    unanswered_id, unanswered = person.submit_job()
    world.site.submission_answer = answer_with_a_page
    submit_run(world.engine, unanswered)
    deleted = delete_site(world)
    for run_id in (unsent, unanswered):
        submit_run(world.engine, run_id)
    poll(world, sent)
    runs = [person.get_run(job_id) for job_id in (unsent_id, unanswered_id, sent_id)]
    assert [run["status"] for run in runs] == ["failed", "submitting", "running"]
    assert runs[0]["error"]["code"] == "service_not_found"
    assert all("Ask a curator" in run["message"] for run in runs[1:])
    world.peers.service_id, world.site.submission_answer = deleted, None
    world.engine.sites = Sites(world.engine.peers)
    submit_run(world.engine, unanswered)
    assert (person.get_run(unanswered_id)["status"], len(world.site.jobs)) == ("running", 2)


def test_a_curated_credential_is_used_only_where_the_curator_shares_it(world: World, person: Person) -> None:
    world.peers.credentials.clear()
    world.peers.curated_credential = TOKEN
    job_id, run_id = person.submit_job()
    world.peers.site = {"credential_shared": False}
    submit_run(world.engine, run_id)
    run = person.get_run(job_id)
    assert (run["status"], world.site.jobs) == ("waiting_for_site", [])
    assert "Add your token" in run["message"]
    world.peers.site = {"credential_shared": True}
    world.engine.sites = Sites(world.engine.peers)
    submit_run(world.engine, run_id)
    assert person.get_run(job_id)["status"] == "running"


def test_a_run_is_not_watched_with_another_account_than_it_was_sent_with(world: World, person: Person) -> None:
    job_id, run_id = bring_to_site(world, person)
    world.peers.credentials.clear()
    world.peers.curated_credential, world.peers.site = TOKEN, {"credential_shared": True}
    world.engine.sites = Sites(world.engine.peers)
    poll(world, run_id)
    run = person.get_run(job_id)
    assert run["status"] == "running"
    assert "the token that it was sent with is gone" in run["message"]


def test_a_run_that_failed_although_it_was_to_be_cancelled_is_retried_in_earnest(world: World, person: Person) -> None:
    job_id, run_id = bring_to_site(world, person)
    world.client.post(f"/api/v1/jobs/{job_id}/cancel", headers=person.headers)
    world.site.refuse_cancel = True
    world.site.jobs[0].state, world.site.jobs[0].position = 5, -1
    for _ in range(2):
        poll(world, run_id)
    assert person.get_run(job_id)["status"] == "failed"
    world.client.post(f"/api/v1/jobs/{job_id}/retry", headers=person.headers)
    submit_run(world.engine, run_id)
    assert (person.get_run(job_id)["status"], len(world.site.jobs)) == ("running", 2)


def test_a_deleted_job_takes_its_results_with_it(world: World, person: Person) -> None:
    job_id, run_id, _job = bring_to_end(world, person)
    collect_results(world.engine, run_id)
    assert world.peers.stored
    assert world.client.delete(f"/api/v1/jobs/{job_id}", headers=person.headers).status_code == 204
    assert world.peers.stored == {}


def test_a_run_whose_input_was_deleted_is_not_held_for_ever(world: World, person: Person) -> None:
    job_id, run_id = person.submit_job()
    world.peers.files.clear()
    submit_run(world.engine, run_id)
    run = person.get_run(job_id)
    assert (run["status"], run["error"]["code"], run["error"]["whose"]) == ("failed", "input_deleted", "input")
    assert "Upload it again and submit a new job." in run["error"]["fix"]
    assert world.site.jobs == []
