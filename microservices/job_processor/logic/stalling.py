"""Runs that have stalled at their sites are asked back, where they have somewhere else to go on."""

from uuid import UUID

from sqlalchemy import func, select

from microservices.job_processor.logic.engine import Engine
from microservices.job_processor.logic.estimates import estimate_run
from microservices.job_processor.logic.failover import list_alternates, request_move
from microservices.job_processor.models import Run
from microservices.job_processor.queries import lock_run
from microservices.kernel.db import Database
from microservices.kernel.errors import ServiceError

_BATCH = 1000


def move_stalled_runs(engine: Engine) -> None:
    """Ask sites to cancel what is far slower there than anything was; not those that never do."""
    has_choice = func.jsonb_array_length(Run.choices) > Run.choice + 1
    at_sites = select(Run.id, Run.service_id).where(Run.status == "running", Run.cancel_requested_at.is_(None))
    with engine.database.transaction() as session:
        found = session.execute(at_sites.where(has_choice).order_by(Run.submitted_at).limit(_BATCH)).all()
    for run_id, service_id in found:
        if _may_cancel(engine, service_id):
            _move_if_stalled(engine.database, run_id)


def _may_cancel(engine: Engine, service_id: UUID) -> bool:
    try:
        known = engine.sites.get_record(service_id).capabilities
    except ServiceError:
        return False
    return known is None or known.cancels is not False


def _move_if_stalled(database: Database, run_id: UUID) -> None:
    with database.transaction() as session:
        run = lock_run(session, run_id)
        if run is None or run.status != "running" or run.cancel_requested_at is not None:
            return
        estimate = estimate_run(run, at_least_s=run.failover_after_s)
        if estimate.is_stalled and list_alternates(run):
            request_move(session, run, estimate.pace)
