"""The real worker, killed at the worst moments: the next one finishes its work, and nothing is done twice."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import redis
from sqlalchemy import update

from microservices.job_processor.models import Run
from microservices.kernel.db import utc_now
from tests.job_processor.cloudgene_stub import Gate
from tests.job_processor.conftest import Person, World, bring_to_site, make_due

DEADLINE_S = 40
# One thread for transfers: the others are kept free for the watch.
COMMAND = ["worker", "-B", "-P", "threads", "--concurrency", "3", "--without-gossip", "--without-mingle"]


def list_environment(world: World) -> dict[str, str]:
    settings = world.engine.settings
    return {
        "PATH": os.environ["PATH"],
        "ENVIRONMENT": "local",
        "REDIS_URL": settings.redis_url.get_secret_value(),
        "USER_SERVICE_URL": settings.authority_url,
        "SERVICE_REGISTRY_URL": settings.registry_url,
        "FILE_MANAGER_URL": settings.files_url,
        "NOTIFICATION_URL": settings.notification_url,
        "JOB_PROCESSOR_DATABASE_URL": settings.database_url.get_secret_value(),
        "JOB_PROCESSOR_CLIENT_SECRET": "unused",
        "JOB_PROCESSOR_BROKER_URL": settings.broker_url.get_secret_value(),
        "JOB_PROCESSOR_ENCRYPTION_KEYS": settings.encryption_keys.get_secret_value(),
        "JOB_PROCESSOR_SPOOL_DIR": str(settings.spool_dir),
    }


@contextlib.contextmanager
def working(world: World, directory: Path) -> Iterator[None]:
    """A worker with its beat; at the block's end both are killed (-9)."""
    directory.mkdir(exist_ok=True)
    options = ["-A", "microservices.job_processor.worker:app", *COMMAND, "-s", str(directory / "schedule")]
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "celery", *options],
            env=list_environment(world),
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield
        assert process.poll() is None, (directory / "log").read_text()[-3000:]
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def await_that(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline
        threading.Event().wait(0.05)


def let_a_minute_pass(world: World) -> None:
    """What a killed worker held is free again."""
    with world.engine.database.transaction() as session:
        session.execute(update(Run).values(lease_until=None, next_action_at=utc_now()))


def test_workers_killed_while_a_run_is_queued_submitted_and_collected_cost_nothing(
    world: World, person: Person, tmp_path: Path
) -> None:
    watched_id, watched = bring_to_site(world, person)
    job_id, _run_id = person.submit_job()
    redis.Redis.from_url(world.engine.settings.broker_url.get_secret_value()).flushdb()
    answering = Gate()
    world.site.on_submit = answering.pass_through
    with working(world, tmp_path):
        answering.await_visitor()  # though the message was lost
        world.site.finish(world.site.jobs[0])
        make_due(world, watched)
        await_that(lambda: person.get_run(watched_id)["status"] == "collecting")  # though a site keeps a worker waiting
    answering.opened.set()
    assert person.get_run(job_id)["status"] == "submitting"
    let_a_minute_pass(world)
    serving = Gate()
    with working(world, tmp_path):
        await_that(lambda: person.get_run(job_id)["status"] == "running")
        await_that(lambda: person.get_run(watched_id)["status"] == "completed")
        world.site.downloads.clear()
        world.site.on_download = serving.pass_through
        world.site.finish(world.site.jobs[1])
        serving.await_visitor()
    serving.opened.set()
    assert person.get_run(job_id)["status"] == "collecting"
    let_a_minute_pass(world)
    with working(world, tmp_path):
        await_that(lambda: person.get_run(job_id)["status"] == "completed")
    run = person.get_run(job_id)
    assert (run["attempts"], run["results"], len(world.site.jobs)) == (1, 3, 2)
    assert world.site.downloads == {"chr_20.zip": 2, "qc_report.txt": 1}
    assert list(world.engine.settings.spool_dir.iterdir()) == []
