"""The site's engine: which job waits, which runs, and how a job goes through its states."""

import asyncio
import contextlib
import json
import os
import secrets
import shutil
import signal
import sqlite3
import string
import sys
import traceback
from pathlib import Path

from sandbox.cloudgene.control import Control
from sandbox.cloudgene.downloads import register_files, share_files
from sandbox.cloudgene.execution import make_task, write_choices, write_log
from sandbox.cloudgene.jobs import (
    Job,
    State,
    age_job,
    empty_steps,
    give_up_job,
    load_jobs,
    now_ms,
    number_steps,
    save_job,
)
from sandbox.cloudgene.panels import resolve_panel
from sandbox.cloudgene.pipeline.messages import Group, Kind, Message
from sandbox.cloudgene.settings import SiteSettings

LINE_LIMIT = 2**20  # bytes of one message of the pipeline


class JobEngine:
    """Runs as many jobs at once as there are slots; all methods are for the event loop of the site."""

    def __init__(self, settings: SiteSettings, database: sqlite3.Connection, control: Control) -> None:
        self.control = control
        self.jobs: dict[str, Job] = load_jobs(database)
        self._settings = settings
        self._database = database
        self._waiting: list[str] = []
        self._arrived = asyncio.Condition()
        self._processes: dict[str, asyncio.subprocess.Process] = {}
        self._cancelled: set[str] = set()

    def folder(self, job: Job) -> Path:
        """Where its uploads, results and log lie."""
        return self._settings.jobs_folder / job.id

    def position(self, job: Job) -> int:
        """Waiting jobs ahead; 0 when next or running; -1 once it left the engine."""
        if job.left_engine:
            return -1
        return self._waiting.index(job.id) if job.id in self._waiting else 0

    def count_in_engine(self, owner: str) -> int:
        """Waiting jobs count as well."""
        return sum(job.in_engine for job in self.jobs.values() if job.owner == owner)

    @property
    def max_jobs_per_user(self) -> int:
        """Waiting and running ones."""
        told = self.control.max_jobs_per_user
        return self._settings.max_jobs_per_user if told is None else told

    async def pause(self, paused: bool) -> None:
        """Waiting jobs wait on, or go on."""
        self.control.paused = paused
        async with self._arrived:
            self._arrived.notify_all()

    def age(self, job: Job) -> None:
        """What time has done to it; a retired job's files are gone, and still listed."""
        if age_job(job, self._settings.retention_days, self._settings.notice_days):
            save_job(self._database, job)
            if job.state is State.RETIRED:
                shutil.rmtree(self.folder(job) / "output", ignore_errors=True)

    @property
    def queue_size(self) -> int:
        """Jobs that wait or run."""
        return len(self._waiting) + len(self._processes)

    async def add(self, job: Job) -> None:
        """Queues a new or a restarted job; one without a panel that exists fails before it begins."""
        self.jobs[job.id] = job
        job.state, job.left_engine, job.start_time, job.end_time, job.steps = State.WAITING, False, 0, 0, []
        write_choices(self.folder(job), job)
        if resolve_panel(self._settings.panels_folder, job.choices.get("refpanel", "")) is None:
            name = job.choices.get("refpanel") or "null"
            write_log(self.folder(job), f"Application {name} is not installed or wrong permissions.")
            self._end(job, State.FAILED)
            self._leave(job)
            return
        save_job(self._database, job)
        async with self._arrived:
            self._waiting.append(job.id)
            self._arrived.notify()

    def cancel(self, job: Job) -> None:
        """A job that has ended is left as it is."""
        if job.id in self._waiting:
            self._waiting.remove(job.id)
            self._end(job, State.CANCELLED)
            self._leave(job)
        elif job.state is State.RUNNING:
            self._cancelled.add(job.id)
            job.state = State.CANCELLED
            save_job(self._database, job)
            self._kill(job.id)

    def delete(self, job: Job) -> None:
        """The files go, the id stays taken."""
        job.state, job.deleted_on = State.DELETED, now_ms()
        save_job(self._database, job)
        self._database.execute("DELETE FROM files WHERE job = ?", (job.id,))
        shutil.rmtree(self.folder(job), ignore_errors=True)

    async def work(self) -> None:
        """One slot: takes jobs for as long as the site runs."""
        while True:
            async with self._arrived:
                await self._arrived.wait_for(lambda: self._waiting and not self.control.paused)
                job = self.jobs[self._waiting.pop(0)]
                job.state, job.start_time, job.steps = State.RUNNING, now_ms(), empty_steps()
            await self._run(job)

    async def _run(self, job: Job) -> None:
        """Whatever happens to one job, the slot is there for the next."""
        save_job(self._database, job)
        fault = self.control.take_fault("run") or ""
        if fault == "give_up":  # as if the site had been restarted meanwhile
            give_up_job(self._database, job)
            return
        try:
            succeeded = await self._run_pipeline(job, fault) == 0
        except Exception:
            write_log(self.folder(job), traceback.format_exc())
            succeeded = False
        finally:
            self._processes.pop(job.id, None)
        if job.id in self._cancelled:
            await self._finish_cancelled(job)
        else:
            await self._finish(job, State.SUCCESS if succeeded else State.FAILED)

    async def _finish(self, job: Job, state: State) -> None:
        """The state is final before the shared links work: the rows are written as the job leaves the engine."""
        if state is State.SUCCESS:
            job.state = State.EXPORTING
            save_job(self._database, job)
            await asyncio.sleep(self._settings.settle_seconds)
        self._register(job)
        self._end(job, state)
        await asyncio.sleep(self._settings.settle_seconds)
        self._leave(job)

    async def _finish_cancelled(self, job: Job) -> None:
        """A killed pipeline looks like a failed one until somebody remembers who killed it."""
        self._cancelled.discard(job.id)
        job.add_message(Message(Group.SUMMARY, "Pipeline execution canceled.", Kind.ERROR))
        self._register(job)
        self._end(job, State.FAILED)
        await asyncio.sleep(self._settings.settle_seconds)
        job.state = State.CANCELLED
        self._leave(job)

    def _end(self, job: Job, state: State) -> None:
        job.state, job.end_time = state, now_ms()
        save_job(self._database, job)

    def _leave(self, job: Job) -> None:
        number_steps(self._database, job)
        share_files(self._database, job.id)
        job.choices.pop("password", None)
        save_job(self._database, job)

    def _register(self, job: Job) -> None:
        output = self.folder(job) / "output"
        for partial in output.glob("*.part"):
            partial.unlink()
        shutil.rmtree(self.folder(job) / "work", ignore_errors=True)
        letters = string.ascii_letters + string.digits
        job.output_hash = "".join(secrets.choice(letters) for _ in range(40))
        register_files(self._database, job.id, output, self._settings.max_downloads)

    async def _run_pipeline(self, job: Job, fault: str) -> int:
        """In a session of its own, so that all its processes can be ended at once."""
        task = make_task(self.folder(job), job, self._settings, fault)
        with (self.folder(job) / "job.log").open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "sandbox.cloudgene.pipeline"),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                start_new_session=True,
                limit=LINE_LIMIT,
            )
        self._processes[job.id] = process
        if job.id in self._cancelled:
            self._kill(job.id)
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(task.dump())  # stays open: the pipeline ends when it is closed
        async for line in process.stdout:
            message = Message(**json.loads(line))
            job.add_message(message)
            write_log(self.folder(job), f"[{message.group}] {message.text}")
            save_job(self._database, job)
        return await process.wait()

    def _kill(self, job_id: str) -> None:
        """A job that is only about to get its process is ended when it has it."""
        if job_id in self._processes:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._processes[job_id].pid, signal.SIGKILL)

    def stop(self) -> None:
        """Ends what runs; those jobs are dead when the site starts again."""
        for job_id in self._processes:
            self._kill(job_id)
