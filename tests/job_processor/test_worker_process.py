"""Real workers that are killed at the worst moments, at a site with bad lines: nothing is done twice, nothing is lost.

`tests/load/prove_exactly_once.py` is the long form of it, with hundreds of runs and servers that die as well.
"""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from itertools import chain, repeat
from pathlib import Path

import redis
from celery import Celery
from sqlalchemy import text

from microservices.job_processor.tasks import POLL_TASK, ROUTES, SWEEP_TASK
from microservices.kernel.tasks import create_celery
from tests.job_processor.chaos import Fate, Workers
from tests.job_processor.chaos_site import RESULTS, ChaosSite, serve_chaos
from tests.job_processor.conftest import Person, World
from tests.job_processor.environment import list_environment

RUNS, DEADLINE_S = 12, 150
# Each once: what comes then is peaceful.
FAULTS = {
    "dropped after it was accepted": 3,
    "dropped, and accepted some seconds later": 2,
    "dropped before it was accepted": 2,
    "answered 503 after it was accepted": 1,
    "none": 2,
}
AT_ONCE_S, AT_ONCE = 0.25, "interval '8 seconds'"


def let_time_pass(world: World) -> None:
    """Eight seconds: leases of the dead run out, and lists may be read once more."""
    attempts = ("started_at", "ended_at", "absent_since")
    with world.engine.database.transaction() as session:
        changes = ", ".join(f"{name} = {name} - {AT_ONCE}" for name in ("lease_until", "next_action_at"))
        session.execute(text(f"UPDATE job_runs SET {changes} WHERE finished_at IS NULL"))
        changes = ", ".join(f"{name} = {name} - {AT_ONCE}" for name in attempts)
        session.execute(text(f"UPDATE run_attempts SET {changes} WHERE outcome IS NULL"))


def beat_quickly(celery: Celery) -> None:
    """The workers' own beats come every second, and every five."""
    for task in (POLL_TASK, SWEEP_TASK):
        celery.send_task(task, expires=AT_ONCE_S)


def draw_fates() -> Iterator[Fate]:
    """The first worker dies while it submits, the next while it collects; then come two that stay."""
    return chain((Fate("attempts.py", 90), Fate("collection.py", 60)), repeat(Fate()))


def keep_worker(workers: Workers) -> None:
    """Alone while it is to die, so that it surely comes to where it dies."""
    if workers.are_dead():
        workers.keep(0)
    if len(workers.deaths) == 2:
        workers.keep(1)


def test_every_run_reaches_its_site_once_and_its_results_come_home_though_workers_die_and_answers_are_lost(
    world: World, person: Person, tmp_path: Path
) -> None:
    site = ChaosSite(seed=5, pace_s=0.2, late_s=0.3, faults=FAULTS)
    workers = Workers(list_environment(world.engine.settings), tmp_path, draw_fates())
    broker = world.engine.settings.broker_url.get_secret_value()
    celery = create_celery("test", broker, log_level="WARNING", beat={}, routes=ROUTES)
    with serve_chaos(site) as world.peers.site_address:
        jobs = [person.submit_job() for _ in range(RUNS)]
        redis.Redis.from_url(broker).flushdb()  # all hints are lost
        deadline = time.monotonic() + DEADLINE_S
        try:
            while (statuses := Counter(person.get_run(job_id)["status"] for job_id, _ in jobs))["completed"] < RUNS:
                assert time.monotonic() < deadline, (statuses, site.told, workers.deaths)
                keep_worker(workers)
                threading.Event().wait(AT_ONCE_S)
                let_time_pass(world)
                beat_quickly(celery)
        finally:
            workers.end()
    assert site.count_by_run() == {f"imputehub-{run_id.hex}": 1 for _, run_id in jobs}
    assert set(world.peers.stored) == {(str(run_id), name) for _, run_id in jobs for name in RESULTS}
    assert {where.split()[2].split(":")[0] for where in workers.deaths} == {"attempts.py", "collection.py"}
