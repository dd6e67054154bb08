"""Celery tasks: short hints with ids; each looks into PostgreSQL for what there is to do."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from celery import Celery
from celery.signals import worker_init

from microservices.job_processor.logic.collection import collect_results
from microservices.job_processor.logic.engine import Engine
from microservices.job_processor.logic.leases import LeaseLostError
from microservices.job_processor.logic.polling import poll_due_runs
from microservices.job_processor.logic.removal import remove_leftovers
from microservices.job_processor.logic.shares import Shares
from microservices.job_processor.logic.spool import clean_spool
from microservices.job_processor.logic.stalling import move_stalled_runs
from microservices.job_processor.logic.submission import submit_run
from microservices.job_processor.logic.sweeping import COLLECT, SUBMIT, claim_due_runs
from microservices.job_processor.queries import find_site
from microservices.kernel.logs import get_logger

SUBMIT_TASK, COLLECT_TASK = "job.submit_run", "job.collect_run"
POLL_TASK, SWEEP_TASK, TIDY_TASK = "job.poll_due_runs", "job.sweep", "job.tidy"

ROUTES = {
    SUBMIT_TASK: {"queue": "job.submit"},
    COLLECT_TASK: {"queue": "job.collect"},
    POLL_TASK: {"queue": "job.poll"},
    SWEEP_TASK: {"queue": "job.poll"},
    TIDY_TASK: {"queue": "job.poll"},
}
# A beat that nobody could follow expires, or a worker that comes back would work off hours of them.
BEAT = {
    "poll": {"task": POLL_TASK, "schedule": 1.0, "options": {"expires": 5}},
    "sweep": {"task": SWEEP_TASK, "schedule": 5.0, "options": {"expires": 10}},
    "tidy": {"task": TIDY_TASK, "schedule": 600.0, "options": {"expires": 600}},
}
# So does a hint (seconds): the sweep gives it again for as long as there is work.
HINT_EXPIRES_S = 30
_FREE_THREADS = 2

log = get_logger(__name__)


class Transfers:
    """Some of the worker's threads are kept free of uploads and downloads, and the others are shared between sites.

    What finds no room is left to the next sweep.
    """

    def __init__(self) -> None:
        self._shares = Shares(1)

    def size(self, sender: Any, **_kwargs: Any) -> None:
        """Signal of Celery: the worker's number of threads is known."""
        self._shares = Shares(max(1, sender.concurrency - _FREE_THREADS))

    def carry(self, work: Callable[[Engine, UUID], None], engine: Engine, run_id: UUID) -> None:
        with engine.database.transaction() as session:
            site = find_site(session, run_id)
        if site is None:
            return
        with self._shares.taking(site) as found:
            if found:
                _work_on(work, engine, run_id)


def _work_on(work: Callable[[Engine, UUID], None], engine: Engine, run_id: UUID) -> None:
    try:
        work(engine, run_id)
    except LeaseLostError:  # somebody else took the run over: what we found out is not written, and theirs counts
        log.warning("lease_lost", run_id=str(run_id))


def register_tasks(app: Celery, engine: Engine) -> None:
    transfers = Transfers()
    worker_init.connect(transfers.size, weak=False)

    @app.task(name=SUBMIT_TASK)
    def submit(run_id: str) -> None:
        transfers.carry(submit_run, engine, UUID(run_id))

    @app.task(name=COLLECT_TASK)
    def collect(run_id: str) -> None:
        transfers.carry(collect_results, engine, UUID(run_id))

    def hint(task: str, run_id: UUID) -> None:
        app.send_task(task, args=[str(run_id)], expires=HINT_EXPIRES_S)

    @app.task(name=POLL_TASK)
    def poll() -> None:
        poll_due_runs(engine, lambda run_id: hint(COLLECT_TASK, run_id))

    @app.task(name=SWEEP_TASK)
    def sweep() -> None:
        for task, statuses in ((SUBMIT_TASK, SUBMIT), (COLLECT_TASK, COLLECT)):
            for run_id in claim_due_runs(engine.database, statuses):
                hint(task, run_id)

    @app.task(name=TIDY_TASK)
    def tidy() -> None:
        clean_spool(engine.database, engine.settings.spool_dir)
        move_stalled_runs(engine)
        remove_leftovers(engine)
