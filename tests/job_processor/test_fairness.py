"""Whose turn it is: no person, no priority and no slow site keeps the others from theirs."""

from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack
from itertools import islice
from types import SimpleNamespace
from uuid import UUID, uuid4

from sqlalchemy import update

from microservices.job_processor.logic.engine import Engine
from microservices.job_processor.logic.shares import Shares
from microservices.job_processor.logic.sweeping import SUBMIT, claim_due_runs
from microservices.job_processor.models import Run
from microservices.job_processor.tasks import Transfers
from tests.job_processor.cloudgene_stub import Gate
from tests.job_processor.conftest import Person, World


def take_all(stack: ExitStack, shares: Shares, site: UUID) -> int:
    """How many more transfers of the site find room."""
    taken = 0
    while stack.enter_context(shares.taking(site)):
        taken += 1
    return taken


def test_each_slow_site_leaves_room_for_the_next() -> None:
    shares = Shares(30)
    with ExitStack() as stack:
        assert [take_all(stack, shares, uuid4()) for _ in range(6)] == [15, 8, 4, 2, 1, 0]


def test_room_is_given_back_also_after_a_fault() -> None:
    shares, site = Shares(1), uuid4()
    for _ in range(3):
        try:
            with shares.taking(site) as found:
                assert found
                raise OSError
        except OSError:
            pass
    with ExitStack() as stack:
        assert take_all(stack, shares, site) == 1


def test_transfers_that_hang_at_one_site_keep_none_of_another_waiting(world: World, person: Person) -> None:
    slow = [person.submit_job()[1] for _ in range(6)]
    quick = person.submit_job()[1]
    with world.engine.database.transaction() as session:
        session.execute(update(Run).where(Run.id == quick).values(service_id=uuid4()))
    transfers, hanging, done = Transfers(), Gate(), list[UUID]()
    transfers.size(SimpleNamespace(concurrency=8))

    def work(_engine: Engine, run_id: UUID) -> None:
        if run_id in slow:
            hanging.pass_through()
        done.append(run_id)

    with ThreadPoolExecutor(6) as pool:
        tried = [pool.submit(transfers.carry, work, world.engine, run_id) for run_id in slow]
        for left_to_the_sweep in islice(as_completed(tried, timeout=60), 3):
            left_to_the_sweep.result()
        hanging.await_visitor()
        transfers.carry(work, world.engine, quick)
        assert done == [quick]
        hanging.opened.set()
    assert len(done) == 1 + 3


def test_the_sweep_takes_of_each_person_at_each_site_in_turn_and_of_one_persons_runs_the_highest_priority_first(
    world: World, person: Person
) -> None:
    theirs = world.new_person().submit_job()[1]
    first, second, low, high, elsewhere = (
        person.submit_job(priority=priority)[1] for priority in ("normal", "normal", "low", "high", "normal")
    )
    with world.engine.database.transaction() as session:
        session.execute(update(Run).where(Run.id == elsewhere).values(service_id=uuid4()))
    assert claim_due_runs(world.engine.database, SUBMIT) == [high, theirs, elsewhere, first, second, low]
    assert claim_due_runs(world.engine.database, SUBMIT) == []
