"""When a person deletes a job, its site is asked to remove what it has of it, where it does that."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from fastapi import FastAPI, Response
from sqlalchemy import func, select, update

from microservices.job_processor.logic.collection import collect_results
from microservices.job_processor.logic.removal import remove_leftovers
from microservices.job_processor.logic.sites import Sites
from microservices.job_processor.logic.submission import submit_run
from microservices.job_processor.models import Attempt, SiteRemoval
from microservices.kernel.testing import serve_app
from tests.backends_wes.dialects import SAPPORO
from tests.job_processor.cloudgene_stub import StubJob
from tests.job_processor.conftest import Person, SecondSite, World, bring_to_site, poll


class RemovingSite:
    """A WES server that deletes runs, or says why not."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.refusal: int | None = None

    def build(self) -> FastAPI:
        app = FastAPI()

        @app.get("/service-info")
        def describe() -> dict[str, Any]:
            return SAPPORO

        @app.delete("/runs/{run_id}")
        def remove(run_id: str) -> Any:
            self.asked.append(run_id)
            return Response("no", status_code=self.refusal) if self.refusal else {"run_id": run_id}

        return app


@pytest.fixture(scope="module")
def address_and_site() -> Iterator[tuple[str, RemovingSite]]:
    site = RemovingSite()
    with serve_app(site.build()) as address:
        yield address, site


@pytest.fixture
def site(world: World, address_and_site: tuple[str, RemovingSite]) -> RemovingSite:
    """The site that a deleted job lay at; it was imputed as one of the other kind, which does not matter here."""
    _address, site = address_and_site
    vars(site).update(vars(RemovingSite()))
    return site


def turn_into(world: World, address: str, *, deletes: bool | None) -> None:
    names = ("lists_panels", "finds_by_mark", "cancels", "hands_out_results", "resumes_downloads", "takes_files")
    world.peers.capabilities = {**dict.fromkeys(names), "deletes": deletes}
    world.peers.site = {"api_type": "ga4gh", "base_url": address}
    world.engine.sites = Sites(world.engine.peers)


def delete_completed_job(world: World, person: Person) -> str:
    """Its id at the site."""
    job_id, run_id = bring_to_site(world, person)
    world.site.finish(world.site.jobs[0])
    poll(world, run_id)
    collect_results(world.engine, run_id)
    assert person.get_run(job_id)["status"] == "completed"
    remove_leftovers(world.engine)
    world.client.delete(f"/api/v1/jobs/{job_id}", headers=person.headers).raise_for_status()
    return world.site.jobs[0].id


def list_removals(world: World) -> set[tuple[UUID, str]]:
    """(site, its id of the job)"""
    with world.engine.database.transaction() as session:
        return {(row.service_id, row.external_job_id) for row in session.scalars(select(SiteRemoval))}


def count_removals(world: World) -> int:
    with world.engine.database.transaction() as session:
        return session.scalar(select(func.count()).select_from(SiteRemoval)) or 0


def test_a_site_that_deletes_is_asked_once_the_job_is_deleted_here(
    world: World, person: Person, site: RemovingSite, address_and_site: tuple[str, RemovingSite]
) -> None:
    external_job_id = delete_completed_job(world, person)
    turn_into(world, address_and_site[0], deletes=True)
    remove_leftovers(world.engine)
    remove_leftovers(world.engine)
    assert (site.asked, count_removals(world)) == ([external_job_id], 0)


def test_a_site_that_is_away_is_asked_again(
    world: World, person: Person, site: RemovingSite, address_and_site: tuple[str, RemovingSite]
) -> None:
    external_job_id = delete_completed_job(world, person)
    turn_into(world, address_and_site[0], deletes=True)
    site.refusal = 503
    remove_leftovers(world.engine)
    assert count_removals(world) == 1
    site.refusal = None
    remove_leftovers(world.engine)
    assert (site.asked, count_removals(world)) == ([external_job_id] * 2, 0)


@pytest.mark.parametrize("deletes", [False, None])
def test_a_site_that_does_not_delete_is_not_asked(
    world: World,
    person: Person,
    site: RemovingSite,
    address_and_site: tuple[str, RemovingSite],
    deletes: bool | None,
) -> None:
    delete_completed_job(world, person)
    turn_into(world, address_and_site[0], deletes=deletes)
    remove_leftovers(world.engine)
    assert (site.asked, count_removals(world)) == ([], 0)


def fail(world: World, job: StubJob, run_id: UUID) -> None:
    job.state, job.position = 5, -1
    poll(world, run_id)


def test_what_earlier_attempts_left_is_removed_too(
    world: World, person: Person, site: RemovingSite, address_and_site: tuple[str, RemovingSite]
) -> None:
    job_id, run_id = bring_to_site(world, person)
    fail(world, world.site.jobs[0], run_id)
    world.client.post(f"/api/v1/jobs/{job_id}/retry", headers=person.headers).raise_for_status()
    submit_run(world.engine, run_id)
    fail(world, world.site.jobs[1], run_id)
    world.client.delete(f"/api/v1/jobs/{job_id}", headers=person.headers).raise_for_status()
    turn_into(world, address_and_site[0], deletes=True)
    remove_leftovers(world.engine)
    assert (sorted(site.asked), count_removals(world)) == (sorted(job.id for job in world.site.jobs), 0)


def end_at_another_site(world: World, person: Person, second: SecondSite) -> str:
    """A job whose run was moved from one site to another, and failed there."""
    target = person.describe_targets()[0] | {"alternates": [second.describe_choice()]}
    job_id, run_id = bring_to_site(world, person, targets=[target])
    world.client.post(f"/api/v1/jobs/{job_id}/runs/{run_id}/move", headers=person.headers).raise_for_status()
    for _ in range(2):
        poll(world, run_id)
        submit_run(world.engine, run_id)
    fail(world, second.stub.jobs[0], run_id)
    return job_id


def test_what_is_at_a_site_that_a_run_has_left_is_removed_there(
    world: World, person: Person, second: SecondSite
) -> None:
    job_id = end_at_another_site(world, person, second)
    world.client.delete(f"/api/v1/jobs/{job_id}", headers=person.headers).raise_for_status()
    assert list_removals(world) == {
        (world.peers.service_id, world.site.jobs[0].id),
        (second.service_id, second.stub.jobs[0].id),
    }


def test_of_an_old_run_that_was_moved_the_present_job_is_removed(
    world: World, person: Person, second: SecondSite
) -> None:
    job_id = end_at_another_site(world, person, second)
    with world.engine.database.transaction() as session:  # nobody noted then where attempts were made
        session.execute(update(Attempt).values(service_id=None))
        session.execute(update(Attempt).where(Attempt.number == 1).values(external_job_id="job-of-the-first-site"))
    world.client.delete(f"/api/v1/jobs/{job_id}", headers=person.headers).raise_for_status()
    assert list_removals(world) == {(second.service_id, second.stub.jobs[0].id)}
