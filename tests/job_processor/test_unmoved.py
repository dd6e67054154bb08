"""What keeps a run where it is, whoever would have it go on at its alternate."""

from microservices.job_processor.logic.failover import fail_over
from microservices.job_processor.logic.submission import submit_run
from microservices.job_processor.models import Run
from microservices.job_processor.queries import lock_run
from microservices.kernel.db import utc_now
from tests.job_processor.cloudgene_stub import answer_with_a_page
from tests.job_processor.conftest import Person, SecondSite, World
from tests.job_processor.test_failover import close, submit_with_alternate, try_again


def test_a_run_that_is_cancelled_while_its_site_is_asked_ends_and_does_not_move(
    world: World, person: Person, second: SecondSite
) -> None:
    job_id, run_id = submit_with_alternate(person, second)
    close(world)
    submit_run(world.engine, run_id)
    cancel = f"/api/v1/jobs/{job_id}/cancel"
    world.site.on_probe = lambda: world.client.post(cancel, headers=person.headers).raise_for_status()
    try_again(world, run_id, minutes=60)
    run = person.get_run(job_id)
    assert (run["status"], run["service_id"]) == ("cancelled", str(world.peers.service_id))


def test_nothing_moves_a_run_that_may_have_a_job_or_is_to_end(world: World, person: Person, second: SecondSite) -> None:
    has_job, may_have_one, is_to_end, free = (submit_with_alternate(person, second)[1] for _ in range(4))
    submit_run(world.engine, has_job)
    world.site.submission_answer, world.site.hidden = answer_with_a_page, True
    submit_run(world.engine, may_have_one)
    with world.engine.database.transaction() as session:
        session.get_one(Run, is_to_end).cancel_requested_at = utc_now()
    for run_id in (has_job, may_have_one, is_to_end, free):
        with world.engine.database.transaction() as session:
            run = lock_run(session, run_id)
            assert run is not None
            assert fail_over(session, run, "") is (run_id == free)
