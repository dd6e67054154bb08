"""Celery tasks: short hints with ids; each looks into PostgreSQL for what there is to do."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from celery import Celery

from microservices.job_processor.logic.cancellation import cancel_at_site
from microservices.job_processor.logic.collection import collect_results
from microservices.job_processor.logic.engine import Engine
from microservices.job_processor.logic.leases import LeaseLostError
from microservices.job_processor.logic.polling import poll_due_runs
from microservices.job_processor.logic.submission import submit_run
from microservices.job_processor.logic.sweeping import COLLECT, SUBMIT, claim_due_runs, find_cancels
from microservices.kernel.logs import get_logger

SUBMIT_TASK, CANCEL_TASK, COLLECT_TASK = "job.submit_run", "job.cancel_run", "job.collect_run"
POLL_TASK, SWEEP_TASK = "job.poll_due_runs", "job.sweep"

ROUTES = {
    SUBMIT_TASK: {"queue": "job.submit"},
    CANCEL_TASK: {"queue": "job.poll"},
    COLLECT_TASK: {"queue": "job.collect"},
    POLL_TASK: {"queue": "job.poll"},
    SWEEP_TASK: {"queue": "job.poll"},
}
# A beat that nobody could follow expires, or a worker that comes back would work off hours of them.
BEAT = {
    "poll": {"task": POLL_TASK, "schedule": 1.0, "options": {"expires": 5}},
    "sweep": {"task": SWEEP_TASK, "schedule": 5.0, "options": {"expires": 10}},
}

log = get_logger(__name__)


def register_tasks(app: Celery, engine: Engine) -> None:
    @app.task(name=SUBMIT_TASK)
    def submit(run_id: str) -> None:
        with _tolerating_lost_lease(run_id):
            submit_run(engine, UUID(run_id))

    @app.task(name=COLLECT_TASK)
    def collect(run_id: str) -> None:
        with _tolerating_lost_lease(run_id):
            collect_results(engine, UUID(run_id))

    @app.task(name=CANCEL_TASK)
    def cancel(run_id: str) -> None:
        cancel_at_site(engine, UUID(run_id))

    @app.task(name=POLL_TASK)
    def poll() -> None:
        _send_all(app, COLLECT_TASK, poll_due_runs(engine))

    @app.task(name=SWEEP_TASK)
    def sweep() -> None:
        _send_all(app, SUBMIT_TASK, claim_due_runs(engine.database, SUBMIT))
        _send_all(app, COLLECT_TASK, claim_due_runs(engine.database, COLLECT))
        _send_all(app, CANCEL_TASK, find_cancels(engine.database))


@contextmanager
def _tolerating_lost_lease(run_id: str) -> Iterator[None]:
    """Somebody else took the run over: what we found out is not written, and theirs counts."""
    try:
        yield
    except LeaseLostError:
        log.warning("lease_lost", run_id=run_id)


def _send_all(app: Celery, task: str, run_ids: list[UUID]) -> None:
    for run_id in run_ids:
        app.send_task(task, args=[str(run_id)])
