"""A run's way to its site and home again, with a site that behaves and one that does not."""

import base64
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from microservices.job_processor.logic.collection import collect_results
from microservices.job_processor.logic.submission import submit_run
from microservices.job_processor.logic.sweeping import COLLECT, SUBMIT, claim_due_runs
from microservices.job_processor.models import Attempt, Run
from tests.job_processor.cloudgene_stub import answer_with_a_page
from tests.job_processor.conftest import Person, World, bring_to_site, make_due, poll


def test_a_run_goes_to_the_site_and_its_checked_results_come_home(world: World, person: Person) -> None:
    job_id, run_id = person.submit_job(population="AFR")
    submit_run(world.engine, run_id)
    job = world.site.jobs[0]
    assert job.fields["refpanel"] == "apps@panel@1.0.0"
    assert job.fields["population"].lower() == "afr"
    assert job.fields["job-name"].startswith(f"imputehub-{run_id.hex}")
    assert list(job.files) == ["cohort.vcf.gz"]
    assert poll(world, run_id) == []
    world.site.finish(job)
    assert poll(world, run_id) == [run_id]
    collect_results(world.engine, run_id)
    run = person.get_run(job_id)
    assert (run["status"], run["progress"], run["results"], run["error"]) == ("completed", 100, 3, None)
    words = "All 2 of the site's files are fetched, with 3 result files in them; everything is checked and stored."
    assert run["message"] == words
    assert {name for _run, name in world.peers.stored} == {"chr20.dose.vcf.gz", "chr20.info.gz", "qc_report.txt"}
    assert world.site.downloads == {"chr_20.zip": 1, "qc_report.txt": 1}
    assert person.get_job(job_id)["status"] == "completed"
    results = world.client.get(f"/api/v1/jobs/{job_id}/results", headers=person.headers).json()
    assert (len(results["items"]), results["next_cursor"], results["total"]) == (3, None, 3)


def test_every_change_is_in_the_history_and_in_the_outbox(world: World, person: Person) -> None:
    job_id, _run_id = bring_to_site(world, person)
    history = world.client.get(f"/api/v1/jobs/{job_id}/events", headers=person.headers).json()["items"]
    assert [item["status"] for item in history if item["run_id"]] == ["submitting", "running"]
    assert [item["status"] for item in history if not item["run_id"]] == ["queued", "running"]


def test_the_history_is_given_in_pages(world: World, person: Person) -> None:
    job_id, _run_id = bring_to_site(world, person)
    seen, cursor = [], ""
    for _ in range(2):
        answer = world.client.get(f"/api/v1/jobs/{job_id}/events?limit=2{cursor}", headers=person.headers).json()
        seen += [(item["status"], item["run_id"] is None) for item in answer["items"]]
        cursor = f"&cursor={answer['next_cursor']}"
    assert seen == [("queued", True), ("submitting", False), ("running", True), ("running", False)]
    assert (answer["next_cursor"], answer["total"]) == (None, 4)


@pytest.mark.parametrize("path", ["events", "results"])
@pytest.mark.parametrize("query", ["surprise=1", "sort=x", "limit=0", "limit=201", "cursor=%C3%A9", "cursor=_-8="])
def test_a_page_that_cannot_be_is_a_bad_request(world: World, person: Person, path: str, query: str) -> None:
    job_id, _run_id = person.submit_job()
    answer = world.client.get(f"/api/v1/jobs/{job_id}/{path}?{query}", headers=person.headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_input")


@pytest.mark.parametrize("key", ["x", "-1", "٣", "9" * 30])
def test_a_cursor_of_no_history_is_a_bad_request(world: World, person: Person, key: str) -> None:
    job_id, _run_id = person.submit_job()
    cursor = base64.urlsafe_b64encode(key.encode()).decode()
    answer = world.client.get(f"/api/v1/jobs/{job_id}/events?cursor={cursor}", headers=person.headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_input")


def test_submitting_twice_sends_once(world: World, person: Person) -> None:
    _job_id, run_id = person.submit_job()
    for _ in range(3):
        submit_run(world.engine, run_id)
    assert len(world.site.jobs) == 1


def test_progress_never_goes_back(world: World, person: Person) -> None:
    job_id, run_id = bring_to_site(world, person)
    seen = []
    for text in ("<b>Imputation (3/4)</b>", "<b>Imputation (1/4)</b>", "nothing to count"):
        job = world.site.jobs[0]
        message = {"success": True, "message": text, "type": 0, "time": 0}
        job.state, job.steps = (
            2,
            [{"id": 0, "name": "Phasing and Imputation", "empty": False, "logMessages": [message]}],
        )
        poll(world, run_id)
        seen.append(person.get_run(job_id)["progress"])
    assert seen[0] > 0
    assert seen == sorted(seen)


def break_maintenance(world: World) -> None:
    world.site.maintenance = True


def break_full(world: World) -> None:
    world.site.full = True


def break_token(world: World) -> None:
    world.site.token_valid = False


def remove_token(world: World) -> None:
    world.peers.credentials.clear()


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        (break_maintenance, "back at noon"),
        (break_full, "Only 2 jobs"),
        (break_token, "Renew your token"),
        (remove_token, "Add your token"),
    ],
)
def test_a_site_that_cannot_take_the_run_holds_it_with_the_reason(
    world: World, person: Person, trouble: Callable[[World], None], words: str
) -> None:
    job_id, run_id = person.submit_job()
    credentials = dict(world.peers.credentials)
    trouble(world)
    submit_run(world.engine, run_id)
    run = person.get_run(job_id)
    assert run["status"] == "waiting_for_site"
    assert words in run["message"]
    assert world.site.jobs == []
    world.site.maintenance = world.site.full = False
    world.site.token_valid = True
    world.peers.credentials.update(credentials)
    submit_run(world.engine, run_id)
    assert person.get_run(job_id)["status"] == "running"
    assert len(world.site.jobs) == 1


def test_an_unanswered_submission_is_never_sent_again(world: World, person: Person) -> None:
    job_id, run_id = person.submit_job()
    world.site.submission_answer, world.site.hidden = answer_with_a_page, True
    submit_run(world.engine, run_id)
    for _ in range(3):
        submit_run(world.engine, run_id)
    run = person.get_run(job_id)
    assert (run["status"], len(world.site.jobs)) == ("submitting", 1)
    assert "not sent again" in run["message"]
    world.site.hidden = False
    submit_run(world.engine, run_id)
    run = person.get_run(job_id)
    assert (run["status"], run["external_job_id"]) == ("running", world.site.jobs[0].id)
    assert len(world.site.jobs) == 1


def test_a_run_cancelled_before_it_was_sent_never_reaches_the_site(world: World, person: Person) -> None:
    job_id, run_id = person.submit_job()
    answer = world.client.post(f"/api/v1/jobs/{job_id}/cancel", headers=person.headers)
    assert answer.json()["status"] == "cancelled"
    submit_run(world.engine, run_id)
    assert world.site.jobs == []
    again = world.client.post(f"/api/v1/jobs/{job_id}/cancel", headers=person.headers)
    assert (again.status_code, again.json()["code"]) == (409, "job_state")


def test_cancel_reaches_the_site_and_ends_when_the_site_says_so(world: World, person: Person) -> None:
    job_id, run_id = bring_to_site(world, person)
    world.client.post(f"/api/v1/jobs/{job_id}/cancel", headers=person.headers)
    assert person.get_run(job_id)["status"] == "running"
    poll(world, run_id)
    assert world.site.jobs[0].state == 6
    assert person.get_run(job_id)["status"] == "cancelled"


def fail_at_site(world: World, steps: list[dict[str, Any]]) -> None:
    job = world.site.jobs[0]
    job.state, job.position, job.steps = 5, -1, steps


def test_a_failure_tells_the_sites_words_and_whose_it_is_and_can_be_retried(world: World, person: Person) -> None:
    job_id, run_id = bring_to_site(world, person)
    message = {"success": True, "message": "<b>Error:</b> No chunks passed the QC step.", "type": 1, "time": 0}
    fail_at_site(world, [{"id": 1, "name": "Quality Control", "empty": False, "logMessages": [message]}])
    poll(world, run_id)
    run = person.get_run(job_id)
    assert (run["status"], run["error"]["whose"]) == ("failed", "input")
    assert "No chunks passed" in run["error"]["message"]
    assert "<b>" not in run["error"]["message"]
    assert person.get_job(job_id)["status"] == "failed"
    world.client.post(f"/api/v1/jobs/{job_id}/retry", headers=person.headers)
    submit_run(world.engine, run_id)
    run = person.get_run(job_id)
    assert (run["status"], run["attempts"], len(world.site.jobs)) == ("running", 2, 2)


@pytest.mark.parametrize(
    ("step", "words", "whose"),
    [
        ("Input Validation", "The provided VCF file is malformed.", "input"),
        ("Quality Control", "More than 100 obvious strand flips have been detected.", "input"),
        ("Quality Control", "java.lang.OutOfMemoryError: an exception", "site"),
        ("Phasing and Imputation", "Process IMPUTE terminated with an error exit status (137)", "site"),
    ],
)
def test_only_what_the_site_says_of_the_input_is_the_inputs_fault(
    world: World, person: Person, step: str, words: str, whose: str
) -> None:
    job_id, run_id = bring_to_site(world, person)
    message = {"success": True, "message": words, "type": 1, "time": 0}
    fail_at_site(world, [{"id": 1, "name": step, "empty": False, "logMessages": [message]}])
    poll(world, run_id)
    assert person.get_run(job_id)["error"]["whose"] == whose


def test_a_failure_without_steps_is_explained_from_the_log(world: World, person: Person) -> None:
    job_id, run_id = bring_to_site(world, person)
    fail_at_site(world, [])
    poll(world, run_id)
    assert "out of memory" in person.get_run(job_id)["error"]["message"]


def test_one_failed_run_leaves_its_siblings_alone(world: World, person: Person) -> None:
    job = person.post_job(targets=person.describe_targets()).json()
    runs = [UUID(run["id"]) for run in job["runs"]]
    for run_id in runs:
        submit_run(world.engine, run_id)
    fail_at_site(world, [])
    world.site.finish(world.site.jobs[1])
    make_due(world, runs[0])
    for run_id in poll(world, runs[1]):
        collect_results(world.engine, run_id)
    found = person.get_job(job["id"])
    assert sorted(run["status"] for run in found["runs"]) == ["completed", "failed"]
    assert found["status"] == "partly_completed"


def test_the_sweep_finds_what_nobody_works_on_and_leaves_what_is_held(world: World, person: Person) -> None:
    _job, lost = person.submit_job()
    _job, held = person.submit_job()
    with world.engine.database.transaction() as session:
        run = session.get(Run, held)
        assert run is not None
        run.lease_until = run.created_at.replace(year=2999)
    found = claim_due_runs(world.engine.database, SUBMIT)
    assert lost in found
    assert held not in found
    assert lost not in claim_due_runs(world.engine.database, SUBMIT)
    assert claim_due_runs(world.engine.database, COLLECT) == []


def test_the_result_password_is_stored_encrypted_and_differs_for_each_run(world: World, person: Person) -> None:
    runs = [bring_to_site(world, person)[1] for _ in range(2)]
    sent = [job.fields["password"] for job in world.site.jobs]
    with world.engine.database.transaction() as session:
        stored = [session.get_one(Attempt, (run_id, 1)).result_password for run_id in runs]
    assert len(set(sent)) == 2
    assert not set(sent) & set(stored)
    assert [world.engine.cipher.decrypt(text) for text in stored] == sent
