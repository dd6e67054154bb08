"""Jobs as the site remembers them."""

import json
import sqlite3
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import Any

from sandbox.cloudgene.clock import CLOCK, DAY_MS
from sandbox.cloudgene.database import next_number
from sandbox.cloudgene.pipeline.messages import Group, Kind, Message


class State(IntEnum):
    """The numbers of the API."""

    DEAD = -1
    WAITING = 1
    RUNNING = 2
    EXPORTING = 3
    SUCCESS = 4
    FAILED = 5
    CANCELLED = 6
    RETIRED = 7
    SUCCESS_NOTIFIED = 8
    FAILED_NOTIFIED = 9
    DELETED = 10


@dataclass
class Step:
    """`id` is 0 until the job has left the engine; a message is text, type and time (milliseconds)."""

    name: str
    id: int = 0
    messages: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class Job:
    """Times are milliseconds since 1970, 0 for not yet. `choices` are the submitted fields, without the password
    once the job has ended. `application` is spelt as it was in the submission."""

    id: str
    name: str
    owner: str
    application: str
    user_agent: str
    submitted_on: int
    choices: dict[str, str]
    state: State = State.WAITING
    start_time: int = 0
    end_time: int = 0
    deleted_on: int = -1
    left_engine: bool = False
    output_id: int = 0
    output_hash: str = ""
    steps: list[Step] = field(default_factory=list)

    @property
    def in_engine(self) -> bool:
        """Counts against the owner's limit."""
        return not self.left_engine

    def add_message(self, message: Message) -> None:
        """A message of a task takes the place of the one before it."""
        step = next(step for step in self.steps if step.name == message.group)
        entry = {"text": message.text, "kind": message.kind, "task": message.task, "time": now_ms()}
        last = step.messages[-1] if step.messages else None
        if message.task and last and last["task"] == message.task and last["kind"] == Kind.RUNNING:
            step.messages[-1] = entry
        else:
            step.messages.append(entry)


def empty_steps() -> list[Step]:
    """The four groups are there from the start of the pipeline."""
    return [Step(group.value) for group in Group]


def now_ms() -> int:
    """The site's clock."""
    return CLOCK.now_ms()


def make_job_id(taken: dict[str, Job]) -> str:
    """`job-yyyyMMdd-HHmmss-SSS` in local time, moved on by milliseconds until it is free: ids sort by time."""
    moment = now_ms()
    while True:
        local = datetime.fromtimestamp(moment / 1000).astimezone()
        job_id = f"job-{local:%Y%m%d-%H%M%S}-{moment % 1000:03d}"
        if job_id not in taken:
            return job_id
        moment += 1


def save_job(database: sqlite3.Connection, job: Job) -> None:
    """As it is now."""
    document = json.dumps(asdict(job))
    database.execute("INSERT OR REPLACE INTO jobs (id, document) VALUES (?, ?)", (job.id, document))


def number_steps(database: sqlite3.Connection, job: Job) -> None:
    """What gets written when a job leaves the engine: its steps have ids from then on."""
    job.left_engine = True
    job.output_id = next_number(database)
    for step in job.steps:
        step.id = next_number(database)


def age_job(job: Job, retention_days: float, notice_days: float) -> bool:
    """Whether time has changed it: some days after its end the owner is told of the deletion, and then the files go.

    0 days: they are kept.
    """
    if not retention_days or not job.left_engine or job.state in (State.DEAD, State.RETIRED, State.DELETED):
        return False
    ends = job.end_time + int(retention_days * DAY_MS)
    notified = State.SUCCESS_NOTIFIED if job.state in (State.SUCCESS, State.SUCCESS_NOTIFIED) else State.FAILED_NOTIFIED
    state = State.RETIRED if now_ms() >= ends else notified if now_ms() >= ends - notice_days * DAY_MS else job.state
    if state is job.state:
        return False
    job.state, job.deleted_on = state, ends
    return True


def give_up_job(database: sqlite3.Connection, job: Job) -> None:
    """Dead until somebody restarts it; its password is kept for that."""
    job.state, job.left_engine = State.DEAD, True
    save_job(database, job)


def load_jobs(database: sqlite3.Connection) -> dict[str, Job]:
    """All jobs, oldest first. Those that were in the engine when the site ended are dead until restarted."""
    jobs: dict[str, Job] = {}
    for (document,) in database.execute("SELECT document FROM jobs ORDER BY id").fetchall():
        values = json.loads(document)
        steps = [Step(**step) for step in values.pop("steps")]
        state = State(values.pop("state"))
        job = Job(**values, steps=steps, state=state)
        if job.in_engine:
            give_up_job(database, job)
        jobs[job.id] = job
    return jobs
