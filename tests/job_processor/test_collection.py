"""Results come home: each file fetched sparingly, checked, and stored."""

from collections.abc import Iterator

import pytest
from fastapi import Response
from fastapi.responses import JSONResponse, StreamingResponse

from microservices.job_processor.logic.collection import collect_results
from microservices.job_processor.logic.sites import Sites
from microservices.job_processor.logic.spool import clean_spool
from microservices.job_processor.logic.submission import submit_run
from tests.job_processor.conftest import Person, World, bring_to_end, let_age, poll


@pytest.fixture(autouse=True)
def _nothing_stays_in_the_spool(world: World) -> Iterator[None]:
    yield
    clean_spool(world.engine.database, world.engine.settings.spool_dir)


def list_spool(world: World) -> list[str]:
    return [path.name for path in world.engine.settings.spool_dir.rglob("*") if path.is_file()]


def test_results_that_cannot_be_stored_now_are_not_fetched_twice(world: World, person: Person) -> None:
    job_id, run_id, _job = bring_to_end(world, person)
    world.peers.file_manager_down = True
    collect_results(world.engine, run_id)
    assert person.get_run(job_id)["status"] == "collecting"
    world.peers.file_manager_down = False
    collect_results(world.engine, run_id)
    assert person.get_run(job_id)["status"] == "completed"
    assert world.site.downloads == {"chr_20.zip": 1, "qc_report.txt": 1}


def test_a_spoilt_download_is_fetched_again_but_not_for_ever(world: World, person: Person) -> None:
    job_id, run_id, _job = bring_to_end(world, person)
    world.site.spoilt = ["chr_20.zip"]
    collect_results(world.engine, run_id)
    assert person.get_run(job_id)["status"] == "collecting"
    collect_results(world.engine, run_id)
    assert person.get_run(job_id)["status"] == "completed"
    assert world.site.downloads["chr_20.zip"] == 2


def test_a_file_that_stays_bad_ends_the_run_as_the_sites_fault(world: World, person: Person) -> None:
    job_id, run_id, _job = bring_to_end(world, person)
    world.site.spoilt = ["chr_20.zip"] * 99
    for _ in range(5):
        collect_results(world.engine, run_id)
    run = person.get_run(job_id)
    assert (run["status"], run["error"]["whose"], world.site.downloads["chr_20.zip"]) == ("failed", "site", 3)


@pytest.mark.parametrize(("allowed", "made"), [(1, 1), (2, 1), (3, 2), (10, 3), (-1, 3)])
def test_a_download_is_never_repeated_with_the_last_that_the_site_allows(
    world: World, person: Person, allowed: int, made: int
) -> None:
    job_id, run_id, _job = bring_to_end(world, person)
    world.site.allowed, world.site.spoilt = allowed, ["chr_20.zip"] * 99
    for _ in range(5):
        collect_results(world.engine, run_id)
    run = person.get_run(job_id)
    assert (run["status"], run["error"]["code"]) == ("failed", "result_not_fetched")
    assert world.site.downloads["chr_20.zip"] == made
    assert ("left to you" in run["error"]["fix"]) == (allowed - made == 1)


def test_each_download_that_was_for_nothing_is_in_the_history(world: World, person: Person) -> None:
    job_id, run_id, _job = bring_to_end(world, person)
    world.site.spoilt = ["chr_20.zip"] * 2
    for _ in range(3):
        collect_results(world.engine, run_id)
    answer = world.client.get(f"/api/v1/jobs/{job_id}/events", headers=person.headers).json()
    told = [event["message"] for event in answer["items"] if "for nothing" in event["message"]]
    assert [message[:40] for message in told] == [
        "Download 1 of at most 3 of 'chr_20.zip' ",
        "Download 2 of at most 3 of 'chr_20.zip' ",
    ]
    assert person.get_run(job_id)["status"] == "completed"


def break_off() -> Response:
    return StreamingResponse(iter([b"half"]), headers={"Content-Length": "99"})


@pytest.mark.parametrize(("allowed", "status"), [(10, "failed"), (-1, "collecting")])
def test_connections_that_break_use_up_only_what_a_site_counts(
    world: World, person: Person, allowed: int, status: str
) -> None:
    job_id, run_id, _job = bring_to_end(world, person)
    world.site.allowed, world.site.download_answer = allowed, break_off
    for _ in range(8):
        collect_results(world.engine, run_id)
    assert person.get_run(job_id)["status"] == status
    if status == "collecting":
        world.site.download_answer = None
        collect_results(world.engine, run_id)
        assert person.get_run(job_id)["status"] == "completed"


def test_one_bad_file_keeps_no_other_from_coming_home(world: World, person: Person) -> None:
    job_id, run_id, _job = bring_to_end(world, person)
    world.site.spoilt = ["chr_20.zip"] * 99
    for _ in range(4):
        collect_results(world.engine, run_id)
    assert {name for _run, name in world.peers.stored} == {"qc_report.txt"}
    run = person.get_run(job_id)
    assert (run["status"], run["results"]) == ("failed", 1)


def test_a_full_disk_costs_the_site_no_download(world: World, person: Person) -> None:
    job_id, run_id, _job = bring_to_end(world, person)
    world.site.sizes = {"chr_20.zip": "900000 TB"}
    for _ in range(5):
        collect_results(world.engine, run_id)
    run = person.get_run(job_id)
    assert (run["status"], world.site.downloads.get("chr_20.zip")) == ("collecting", None)
    assert "No space left" in run["message"]


def answer_busy() -> Response:
    return JSONResponse({"success": False, "message": "try later"}, status_code=503)


def test_a_download_that_the_site_refuses_for_now_is_not_counted(world: World, person: Person) -> None:
    job_id, run_id, _job = bring_to_end(world, person)
    world.site.download_answer = answer_busy
    for _ in range(5):
        collect_results(world.engine, run_id)
    assert person.get_run(job_id)["status"] == "collecting"
    world.site.download_answer = None
    collect_results(world.engine, run_id)
    assert person.get_run(job_id)["status"] == "completed"


def test_results_that_the_site_has_deleted_end_the_run(world: World, person: Person) -> None:
    job_id, run_id, job = bring_to_end(world, person)
    job.state = 7
    collect_results(world.engine, run_id)
    run = person.get_run(job_id)
    assert (run["status"], run["error"]["code"], run["error"]["whose"]) == ("failed", "results_gone", "site")
    assert list_spool(world) == []


def test_a_job_that_the_site_denies_in_a_row_ends_the_collection(world: World, person: Person) -> None:
    job_id, run_id, _job = bring_to_end(world, person)
    world.peers.file_manager_down = True
    for _ in range(4):
        collect_results(world.engine, run_id)
    world.site.denied = True
    let_age(world, run_id)
    for _ in range(2):
        collect_results(world.engine, run_id)
    assert person.get_run(job_id)["status"] == "collecting"
    collect_results(world.engine, run_id)
    assert person.get_run(job_id)["error"]["code"] == "site_lost_job"


def test_a_success_without_results_is_not_taken_for_one(world: World, person: Person) -> None:
    job_id, run_id, _job = bring_to_end(world, person, {})
    collect_results(world.engine, run_id)
    assert person.get_run(job_id)["status"] == "collecting"
    for _ in range(2):
        collect_results(world.engine, run_id)
    run = person.get_run(job_id)
    assert (run["status"], run["error"]["code"]) == ("failed", "no_results")


def test_a_missing_token_is_named_as_the_reason(world: World, person: Person) -> None:
    job_id, run_id, _job = bring_to_end(world, person)
    world.peers.credentials.clear()
    world.engine.sites = Sites(world.engine.peers)
    collect_results(world.engine, run_id)
    run = person.get_run(job_id)
    assert run["status"] == "collecting"
    assert "token" in run["message"]


def test_a_collection_can_be_cancelled_between_tries_and_while_it_goes_on(world: World, person: Person) -> None:
    first_id, first, _job = bring_to_end(world, person)
    world.peers.file_manager_down = True
    collect_results(world.engine, first)
    assert list_spool(world) != []
    world.client.post(f"/api/v1/jobs/{first_id}/cancel", headers=person.headers)
    assert person.get_run(first_id)["status"] == "cancelled"
    world.peers.file_manager_down = False

    second_id, second, _job = bring_to_end(world, person)

    def cancel(_name: str) -> None:
        world.client.post(f"/api/v1/jobs/{second_id}/cancel", headers=person.headers)

    world.site.on_download = cancel
    collect_results(world.engine, second)
    assert person.get_run(second_id)["status"] == "cancelled"
    assert list_spool(world) == []


def test_what_a_crash_left_of_a_former_job_is_not_taken_for_the_new_ones(world: World, person: Person) -> None:
    job_id, run_id, former = bring_to_end(world, person, {"report.txt": b"of the former job", "bad.zip": b"no archive"})
    spool = world.engine.settings.spool_dir
    kept = spool.with_name("kept")
    world.peers.file_manager_down = True
    collect_results(world.engine, run_id)
    (spool / run_id.hex).rename(kept)
    world.peers.file_manager_down = False
    former.state = 7
    collect_results(world.engine, run_id)
    kept.rename(spool / run_id.hex)
    world.client.post(f"/api/v1/jobs/{job_id}/retry", headers=person.headers)
    submit_run(world.engine, run_id)
    new = world.site.jobs[1]
    world.site.finish(new)
    new.output = {"report.txt": b"of the new job"}
    assert poll(world, run_id) == [run_id]
    collect_results(world.engine, run_id)
    assert list(world.peers.stored.values()) == [b"of the new job"]
    assert list_spool(world) == []
