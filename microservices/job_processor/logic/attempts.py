"""An attempt to submit a run: opened before its first byte leaves, closed only by what is known for certain.

Whoever sent it knows alone how it ended, so that is written also when its lease is lost by then. Others may adopt the
job that carries the attempt's mark, and nothing else.
"""

import asyncio
import secrets
import string
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import aiohttp
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionError
from sqlalchemy.orm import Session

from microservices.backends.base import InputFile, SiteError, Submission
from microservices.contracts.curation import ApiConfig
from microservices.job_processor.logic.engine import Engine
from microservices.job_processor.logic.holding import hold_run, put_off, settle_site_error
from microservices.job_processor.logic.lifecycle import change_run
from microservices.job_processor.logic.processes import name_process
from microservices.job_processor.models import Attempt, JobInput, Run
from microservices.job_processor.queries import find_open_attempt, lock_run
from microservices.kernel.db import utc_now
from microservices.kernel.logs import get_logger

_CHUNK = 1 << 18
# An upload of an hour, and more for what is large: no line that is slower than this has ever ended.
_LONGEST_TALK = timedelta(hours=1)
_SLOWEST_BYTES_S = 64 * 1024
# For a process that is slow to act on its own deadline.
_GRACE = timedelta(minutes=2)
_ALPHABET = string.ascii_letters + string.digits
# Together longer than PostgreSQL needs to restart (seconds).
_PAUSES_S = (0.2, 0.5, 1, 2, 5, 10, 20, 30)

log = get_logger(__name__)


@dataclass(frozen=True)
class Sender:
    """Whose account at the site: where its credential is kept, and which one it is there (`identify_account`)."""

    credential_source: str
    account: str


def open_attempt(engine: Engine, run: Run, epoch: int, sender: Sender, links: Mapping[UUID, str]) -> Submission:
    """Add an attempt to a locked run, and describe what is to be sent once that is committed.

    `links`: by input, an address for a site that fetches by itself.
    """
    number = len(run.attempts) + 1
    password = generate_password()
    attempt = Attempt(
        number=number,
        mark=make_mark(run.id, number),
        service_id=run.service_id,
        credential_source=sender.credential_source,
        account=engine.cipher.encrypt(sender.account),
        sent_by=name_process(),
        body_bytes=sum(source.size for source in run.job.inputs),
        lease_epoch=epoch,
        result_password=engine.cipher.encrypt(password),
        started_at=utc_now(),
    )
    run.attempts.append(attempt)
    submission = _describe_submission(engine, run, attempt.mark, password, links)
    attempt.deadline_at = attempt.started_at + limit_submission(submission) + _GRACE
    return submission


def make_mark(run_id: UUID, number: int) -> str:
    return f"imputehub-{run_id.hex}-{number}"


@contextmanager
def sending(engine: Engine, mark: str) -> Iterator[None]:
    """So long nobody here takes the connection for ended, whether or not PostgreSQL could be told of the attempt."""
    engine.sending.add(mark)
    try:
        yield
    finally:
        engine.sending.discard(mark)


def limit_submission(submission: Submission) -> timedelta:
    """How long a submission may take at most, whatever the site does."""
    size = sum(file.size for file in submission.files)
    return _LONGEST_TALK + timedelta(seconds=size / _SLOWEST_BYTES_S)


def _describe_submission(engine: Engine, run: Run, mark: str, password: str, links: Mapping[UUID, str]) -> Submission:
    parameters = run.job.parameters
    return Submission(
        mark=mark,
        panel_id=run.panel_key,
        build=parameters["build"],
        population=parameters["population"],
        phasing=parameters["phasing"],
        r2_filter=parameters["r2_filter"],
        mode=parameters["mode"],
        result_password=password,
        files=tuple(_describe_input(engine, source, links.get(source.file_id)) for source in run.job.inputs),
        recipe=run.recipe,
    )


def generate_password() -> str:
    """Letters and digits, a letter first: other characters are changed or misread on their way through a site."""
    return secrets.choice(string.ascii_letters) + "".join(secrets.choice(_ALPHABET) for _ in range(23))


def _describe_input(engine: Engine, source: JobInput, url: str | None) -> InputFile:
    async def stream() -> AsyncIterator[bytes]:
        url = f"{engine.settings.files_url}/internal/files/{source.file_id}/content"
        token = await asyncio.to_thread(engine.peers.tokens.get)
        headers = {"Authorization": f"Bearer {token}", "Accept-Encoding": "identity"}
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=60)
        async with aiohttp.ClientSession(timeout=timeout) as session, session.get(url, headers=headers) as answer:
            answer.raise_for_status()
            async for chunk in answer.content.iter_chunked(_CHUNK):
                yield chunk

    return InputFile(filename=source.filename, size=source.size, open=stream, url=url)


def accept_attempt(engine: Engine, run_id: UUID, mark: str, external_job_id: str, config: ApiConfig, how: str) -> None:
    """The site has the job: from now on it is watched there."""

    def write(session: Session, run: Run, attempt: Attempt) -> None:
        attempt.outcome, attempt.external_job_id, attempt.ended_at = "accepted", external_job_id, utc_now()
        run.external_job_id = external_job_id
        run.external_status = run.away_since = None
        run.submitted_at = utc_now()
        session.flush()
        change_run(session, run, "running", how)
        put_off(run, config.poll_first_s)
        run.setbacks = 0

    _settle(engine, run_id, mark, write)
    log.info("run_submitted", run_id=str(run_id), external_job_id=external_job_id)


def settle_failed_attempt(engine: Engine, run_id: UUID, mark: str, error: SiteError, config: ApiConfig) -> None:
    """Close the attempt, unless a job may exist in spite of the error: then only its mark can tell."""

    def write(session: Session, run: Run, attempt: Attempt) -> None:
        attempt.ended_at = utc_now()
        if error.sent == "all":
            reason = (
                f"The site did not confirm the submission ({error.message}). It is not sent again before it is known"
                " whether the job exists; the site's list of jobs is being searched for it."
            )
            hold_run(session, run, reason, config, error.retry_after_s)
        else:
            attempt.outcome = "refused" if error.permanent else "not_sent"
            settle_site_error(session, run, error, config)

    _settle(engine, run_id, mark, write)


def _settle(engine: Engine, run_id: UUID, mark: str, write: Callable[[Session, Run, Attempt], None]) -> None:
    """Let `write` conclude the attempt if it is still open, and wait for a PostgreSQL that is just restarting."""
    for pause_s in (*_PAUSES_S, None):
        try:
            with engine.database.transaction() as session:
                run = lock_run(session, run_id)
                attempt = find_open_attempt(run) if run is not None else None
                if run is not None and attempt is not None and attempt.mark == mark:
                    write(session, run, attempt)
            return
        except (OperationalError, InterfaceError, NoConnectionError) as error:
            if pause_s is None:
                raise
            log.warning("attempt_not_written", run_id=str(run_id), error=repr(error)[:200])
            time.sleep(pause_s)
