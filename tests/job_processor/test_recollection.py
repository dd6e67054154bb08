"""A retry of a run whose results did not come home fetches them again, while its site still has them."""

from collections.abc import Iterator
from uuid import UUID

import pytest

from microservices.job_processor.logic.collection import collect_results
from microservices.job_processor.logic.sites import Sites
from microservices.job_processor.logic.spool import clean_spool
from microservices.job_processor.logic.submission import submit_run
from tests.job_processor.conftest import Person, World, bring_to_site, let_age, make_due, poll


@pytest.fixture
def spoilt(world: World, person: Person) -> Iterator[tuple[str, UUID]]:
    """A job (and its run) of which one of two files came spoilt three times, and which was retried."""
    panel, other = person.describe_targets()
    job_id, run_id = bring_to_site(world, person, targets=[panel | {"alternates": [other]}])
    world.site.finish(world.site.jobs[0])
    world.site.spoilt = ["chr_20.zip"] * 3
    poll(world, run_id)
    collect_until_it_ends(world, person, job_id, run_id)
    assert person.get_run(job_id)["error"]["code"] == "result_not_fetched"
    retry(world, person, job_id)
    yield job_id, run_id
    clean_spool(world.engine.database, world.engine.settings.spool_dir)


def collect_until_it_ends(world: World, person: Person, job_id: str, run_id: UUID) -> None:
    for _ in range(6):
        if person.get_run(job_id)["status"] == "collecting":
            collect_results(world.engine, run_id)


def retry(world: World, person: Person, job_id: str) -> None:
    world.client.post(f"/api/v1/jobs/{job_id}/retry", headers=person.headers).raise_for_status()


def test_they_are_fetched_again_and_nothing_is_imputed_anew(
    world: World, person: Person, spoilt: tuple[str, UUID]
) -> None:
    job_id, run_id = spoilt
    submit_run(world.engine, run_id)
    assert person.get_run(job_id)["status"] == "running"
    assert poll(world, run_id) == [run_id]
    collect_until_it_ends(world, person, job_id, run_id)
    assert (person.get_run(job_id)["status"], world.site.received) == ("completed", 1)
    assert world.site.downloads == {"chr_20.zip": 4, "qc_report.txt": 1}
    assert {name for _run, name in world.peers.stored} == {"chr20.dose.vcf.gz", "chr20.info.gz", "qc_report.txt"}


def test_each_retry_tries_three_times_until_the_site_allows_no_download(
    world: World, person: Person, spoilt: tuple[str, UUID]
) -> None:
    job_id, run_id = spoilt
    world.site.spoilt = ["chr_20.zip"] * 99
    made = []
    for _ in range(3):
        submit_run(world.engine, run_id)
        poll(world, run_id)
        collect_until_it_ends(world, person, job_id, run_id)
        made.append(world.site.downloads["chr_20.zip"])
        retry(world, person, job_id)
    assert (made, world.site.received) == ([6, 9, 10], 1)
    submit_run(world.engine, run_id)
    assert world.site.received == 2


@pytest.mark.parametrize("state", [5, 7, -1])
def test_what_the_site_does_not_have_any_more_is_imputed_anew(
    world: World, person: Person, spoilt: tuple[str, UUID], state: int
) -> None:
    job_id, run_id = spoilt
    world.site.jobs[0].state = state
    submit_run(world.engine, run_id)
    run = person.get_run(job_id)
    assert (run["status"], world.site.received, run["external_job_id"]) == ("running", 2, world.site.jobs[1].id)


def test_a_job_that_the_site_denies_is_imputed_anew_only_once_that_is_believed(
    world: World, person: Person, spoilt: tuple[str, UUID]
) -> None:
    _job_id, run_id = spoilt
    let_age(world, run_id)
    world.site.denied = True
    for _ in range(2):
        submit_run(world.engine, run_id)
        assert world.site.received == 1
        make_due(world, run_id)
    submit_run(world.engine, run_id)
    assert world.site.received == 2


def test_nothing_is_sent_while_the_site_cannot_be_asked(world: World, person: Person, spoilt: tuple[str, UUID]) -> None:
    job_id, run_id = spoilt
    address, world.peers.site_address = world.peers.site_address, "http://127.0.0.1:1"
    world.engine.sites = Sites(world.engine.peers)
    submit_run(world.engine, run_id)
    run = person.get_run(job_id)
    assert (run["status"], world.site.received) == ("waiting_for_site", 1)
    assert "Whether the site still has the results is not known yet" in run["message"]
    world.peers.site_address = address
    world.engine.sites = Sites(world.engine.peers)
    make_due(world, run_id)
    submit_run(world.engine, run_id)
    assert (person.get_run(job_id)["status"], world.site.received) == ("running", 1)


def test_a_wait_for_results_can_be_ended_and_says_what_it_was(
    world: World, person: Person, spoilt: tuple[str, UUID]
) -> None:
    job_id, run_id = spoilt
    refused = world.client.post(f"/api/v1/jobs/{job_id}/runs/{run_id}/move", headers=person.headers)
    assert (refused.status_code, refused.json()["code"]) == (409, "job_state")
    assert "its results are to be fetched again" in refused.json()["detail"]
    world.client.post(f"/api/v1/jobs/{job_id}/cancel", headers=person.headers).raise_for_status()
    run = person.get_run(job_id)
    words = "Cancelled before the results were fetched again; those that are here stay."
    assert (run["status"], run["message"]) == ("cancelled", words)
