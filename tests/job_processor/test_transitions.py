"""The states of a run: what may follow what, by our table and by PostgreSQL's own word, and what each change tells."""

from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from microservices.job_processor.logic.lifecycle import TRANSITIONS, IllegalTransitionError, change_run
from microservices.job_processor.models import RUN_STATUSES, Run, StatusUpdate
from microservices.job_processor.queries import lock_run
from microservices.kernel.outbox import outbox
from tests.job_processor.conftest import Person, World

ALLOWED = [(old, new) for old in RUN_STATUSES for new in RUN_STATUSES if new in TRANSITIONS[old]]


def bring_into(session: Session, run_id: UUID, status: str) -> None:
    """Past the rules: as only somebody could who takes the trigger away."""
    session.execute(text("ALTER TABLE job_runs DISABLE TRIGGER job_runs_transition"))
    session.execute(
        text("UPDATE job_runs SET status = :status, external_job_id = 'job-1' WHERE id = :id"),
        {"status": status, "id": run_id},
    )
    session.execute(text("ALTER TABLE job_runs ENABLE TRIGGER job_runs_transition"))


def is_taken(session: Session, run_id: UUID, status: str) -> bool:
    savepoint = session.begin_nested()
    try:
        session.execute(text("UPDATE job_runs SET status = :status WHERE id = :id"), {"status": status, "id": run_id})
    except IntegrityError as error:
        return "cannot become" not in str(error)
    finally:
        savepoint.rollback()
    return True


def test_postgresql_allows_the_transitions_of_the_table_and_no_others(world: World, person: Person) -> None:
    _job_id, run_id = person.submit_job()
    with world.engine.database.transaction() as session:
        taken = set()
        for old in RUN_STATUSES:
            bring_into(session, run_id, old)
            taken |= {(old, new) for new in RUN_STATUSES if new != old and is_taken(session, run_id, new)}
    assert taken == set(ALLOWED)


@pytest.mark.parametrize(("old", "new"), ALLOWED)
def test_every_transition_is_written_into_the_history_and_told(
    world: World, person: Person, old: str, new: str
) -> None:
    job_id, run_id = person.submit_job()
    with world.engine.database.transaction() as session:
        bring_into(session, run_id, old)
    with world.engine.database.transaction() as session:
        run = lock_run(session, run_id)
        assert run is not None
        change_run(session, run, new, "So it is.")
    with world.engine.database.transaction() as session:
        written = session.scalars(select(StatusUpdate).where(StatusUpdate.run_id == run_id)).all()
        told = session.scalars(
            select(outbox.c.data).where(outbox.c.subject == f"job/{job_id}", outbox.c.type == "run.updated")
        ).all()
    assert [(row.status, row.message) for row in written] == [(new, "So it is.")]
    assert [(data["run_id"], data["status"]) for data in told] == [(str(run_id), new)]


def test_an_illegal_transition_is_a_fault_of_ours_before_it_reaches_the_database(world: World, person: Person) -> None:
    _job_id, run_id = person.submit_job()
    with world.engine.database.transaction() as session, pytest.raises(IllegalTransitionError):
        change_run(session, session.get_one(Run, run_id), "completed", "Done.")
