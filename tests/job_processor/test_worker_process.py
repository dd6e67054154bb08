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
from fastapi import Response
from sqlalchemy import text, update

from microservices.job_processor.models import Run
from microservices.kernel.db import utc_now
from tests.job_processor.cloudgene_stub import Gate, StubJob, answer_with_a_page
from tests.job_processor.conftest import Person, World, bring_to_site, make_due

DEADLINE_S = 40
COMMAND = ["worker", "-B", "-P", "threads", "--without-gossip", "--without-mingle"]


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
def working(world: World, directory: Path, transfers: int = 1) -> Iterator[None]:
    """A worker with its beat, and two threads more, kept free for the watch; it is killed (-9) at the block's end."""
    directory.mkdir(exist_ok=True)
    threads = ["--concurrency", str(transfers + 2)]
    options = ["-A", "microservices.job_processor.worker:app", *COMMAND, *threads, "-s", str(directory / "schedule")]
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
        await_that(lambda: list(world.engine.settings.spool_dir.iterdir()) == [])
    run = person.get_run(job_id)
    assert (run["attempts"], run["results"], len(world.site.jobs)) == (1, 3, 2)
    assert world.site.downloads == {"chr_20.zip": 2, "qc_report.txt": 1}


FAULTS = ("answer lost", "never arrived", None)


class FaultySite:
    """Loses the answers of the first submission of each run, and of some of them the job as well."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.seen: set[str] = set()
        self.lock = threading.Lock()

    def receive(self, job: StubJob) -> Response | None:
        name, _, number = job.name.rpartition("-")
        with self.lock:
            fault = FAULTS[len(self.seen) % len(FAULTS)] if number == "1" else None
            self.seen.add(name)
        if fault == "never arrived":
            self.world.site.jobs.remove(job)
        threading.Event().wait(0.1)  # long enough to be killed in it
        return answer_with_a_page() if fault else None


def let_half_a_minute_pass(world: World) -> None:
    """Lists may be read once more."""
    half_a_minute = "interval '31 seconds'"
    with world.engine.database.transaction() as session:
        session.execute(
            text(
                f"UPDATE run_attempts SET started_at = started_at - {half_a_minute}, "
                f"ended_at = ended_at - {half_a_minute}, absent_since = absent_since - {half_a_minute}"
            )
        )
    with world.engine.database.transaction() as session:
        session.execute(update(Run).where(Run.status == "submitting").values(next_action_at=utc_now()))


def test_every_run_reaches_its_site_once_though_answers_are_lost_and_workers_are_killed(
    world: World, person: Person, tmp_path: Path
) -> None:
    world.site.on_submit = FaultySite(world).receive
    jobs = [person.submit_job()[0] for _ in range(12)]

    def count_running() -> int:
        return sum(person.get_run(job_id)["status"] == "running" for job_id in jobs)

    for least in (1, 4):
        with working(world, tmp_path, transfers=4):
            await_that(lambda least=least: len(world.site.jobs) >= least)  # type: ignore[misc]
        let_a_minute_pass(world)
    with working(world, tmp_path, transfers=4):
        deadline = time.monotonic() + 2 * DEADLINE_S
        while count_running() < len(jobs):
            assert time.monotonic() < deadline, [person.get_run(job_id) for job_id in jobs]
            threading.Event().wait(1)
            let_half_a_minute_pass(world)
    runs = [person.get_run(job_id) for job_id in jobs]
    assert sorted(run["external_job_id"] for run in runs) == sorted(job.id for job in world.site.jobs)
    assert len({job.name.rpartition("-")[0] for job in world.site.jobs}) == len(jobs)
