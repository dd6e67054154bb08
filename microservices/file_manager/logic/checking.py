"""The check of what was uploaded, in the background: `uploaded → checking → ready | rejected`.

The state is in PostgreSQL, so a file whose checker was killed is checked by the next one: at once, since the dead
process's presence ends with it.
"""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from microservices.contracts.file_manager import FILE_CHECKED, FileChecked, QualityRecord
from microservices.file_manager.logic.engine import Engine
from microservices.file_manager.logic.input_links import forget_expired_links
from microservices.file_manager.logic.loose import sweep_loose
from microservices.file_manager.logic.presence import is_gone
from microservices.file_manager.models import UploadedFile
from microservices.kernel.db import utc_now
from microservices.kernel.logs import get_logger
from microservices.kernel.outbox import record_event

_IDLE_S = 2
_MOST_ATTEMPTS = 4
_RETRY_AFTER = timedelta(seconds=5)
_START_S = 30  # for the check's process to begin, beyond the check's own time

# As `check.py` prints it: a `QualityRecord` and more. Importing preflight's own class would bring numpy with it.
Report = dict[str, Any]

log = get_logger(__name__)


@dataclass(frozen=True)
class Claim:
    file_id: UUID
    object_id: UUID
    attempt: int


class CheckFailedError(Exception):
    """The check itself did not come to an end; nothing is known about the file."""


@contextmanager
def checking(engine: Engine) -> Iterator[None]:
    """Check and sweep in a thread of this process until the context ends."""
    stopping = threading.Event()
    thread = threading.Thread(target=_work, args=(engine, stopping), name="checker")
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        engine.new_upload.set()
        thread.join(timeout=15)
        engine.presence.give_up()


def _work(engine: Engine, stopping: threading.Event) -> None:
    """A database that is away costs a pause, never the checker."""
    sweep_at = utc_now()
    while not stopping.is_set():
        engine.new_upload.clear()
        try:
            engine.presence.uphold()
            if utc_now() >= sweep_at:
                sweep_loose(engine.database, engine.storage, engine.presence.number, engine.writing)
                forget_expired_links(engine.database)
                sweep_at = utc_now() + timedelta(seconds=engine.settings.sweep_every_s)
            while not stopping.is_set() and check_next(engine, stopping):
                engine.presence.uphold()
        except Exception as error:  # whatever it is, the next turn tries again
            log.warning("checker_pauses", error=repr(error)[:500])
        engine.new_upload.wait(min(_IDLE_S, engine.settings.sweep_every_s))


def check_next(engine: Engine, stopping: threading.Event) -> bool:
    """Check the oldest file that nobody checks; False when there is none."""
    with engine.database.transaction() as session:
        claim = _claim(session, engine.presence.number)
    if claim is None:
        return False
    try:
        report = _run_check(engine, claim, stopping)
    except Exception as error:
        if stopping.is_set():
            return False  # whoever comes next takes it over
        log.error("check_failed", file_id=str(claim.file_id), attempt=claim.attempt, error=repr(error)[:1000])
        _put_off(engine, claim)
        return True
    _conclude(engine, claim, report)
    return True


def _claim(session: Session, process: int) -> Claim | None:
    abandoned = sa.and_(UploadedFile.status == "checking", is_gone(UploadedFile.checked_by))
    statement = (
        sa.select(UploadedFile)
        .where(sa.or_(UploadedFile.status == "uploaded", abandoned), UploadedFile.check_after <= utc_now())
        .order_by(UploadedFile.created_at)
        .limit(1)
        .with_for_update(skip_locked=True, of=UploadedFile)
    )
    file = session.scalar(statement)
    if file is None:
        return None
    file.status, file.checked_by, file.check_attempts = "checking", process, file.check_attempts + 1
    return Claim(file.id, file.object_id, file.check_attempts)


def _run_check(engine: Engine, claim: Claim, stopping: threading.Event) -> Report:
    limit_s = engine.settings.check_timeout_s
    with engine.storage.local_copy(claim.object_id) as path:
        command = [sys.executable, "-m", "microservices.file_manager.check", str(path), str(limit_s)]
        pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        with subprocess.Popen(command, env=_list_environment(), **pipes) as process:
            try:
                output, errors = _wait(process, limit_s + _START_S, stopping)
            finally:
                process.kill()
    if process.returncode != 0:
        raise CheckFailedError(f"exit code {process.returncode}: {errors.decode(errors='replace')[-500:]}")
    report: Report = json.loads(output)
    QualityRecord.model_validate(report)
    return report


def _list_environment() -> dict[str, str]:
    """Without our secrets: this process reads the bytes of strangers. One thread: numpy's others cost memory only."""
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    return {**kept, "OPENBLAS_NUM_THREADS": "1"}


def _wait(process: subprocess.Popen[bytes], limit_s: float, stopping: threading.Event) -> tuple[bytes, bytes]:
    ends_at = utc_now() + timedelta(seconds=limit_s)
    while not stopping.is_set() and utc_now() < ends_at:
        try:
            return process.communicate(timeout=0.5)
        except subprocess.TimeoutExpired:
            continue
    raise CheckFailedError("stopped" if stopping.is_set() else f"not done within {limit_s:.0f} s")


def _put_off(engine: Engine, claim: Claim) -> None:
    """Try again later; in the end the owner is told that it cannot be checked."""
    if claim.attempt >= _MOST_ATTEMPTS:
        _conclude(engine, claim, _give_up())
        return
    changes = {"status": "uploaded", "checked_by": None, "check_after": utc_now() + _RETRY_AFTER * (claim.attempt - 1)}
    with engine.database.transaction() as session:
        session.execute(sa.update(UploadedFile).where(*_is_ours(engine, claim)).values(**changes))


def _give_up() -> Report:
    issue = {
        "code": "check_failed",
        "severity": "error",
        "message": "The file could not be checked: the check itself broke off several times.",
        "count": 1,
        "fix": "Upload the file again; if that fails too, tell your operator the file's id.",
    }
    nothing: dict[str, Any] = {"build": None, "build_evidence": [], "chromosomes": [], "samples": 0, "variants": 0}
    unknown = {"phased": None, "has_chr_prefix": None}
    return {"verdict": "fail", "issues": [issue], **nothing, **unknown}


def _conclude(engine: Engine, claim: Claim, report: Report) -> None:
    """Report, status and event in one transaction; nothing when the file was deleted or taken over meanwhile."""
    with engine.database.transaction() as session:
        held = sa.select(UploadedFile).where(*_is_ours(engine, claim)).with_for_update(of=UploadedFile)
        file = session.scalar(held)
        if file is None:
            return
        file.status = "rejected" if report["verdict"] == "fail" else "ready"
        file.checked_by = None
        file.facts.qc = report
        file.facts.checked_at = utc_now()
        event = FileChecked(
            file_id=file.id,
            organization_id=file.organization_id,
            owner_id=file.owner_id,
            filename=file.filename,
            status=file.status,
            verdict=report["verdict"],
        )
        record_event(
            session,
            type=FILE_CHECKED,
            subject=f"file/{file.id}",
            data=event.model_dump(mode="json"),
            subscribers=["notification"],
        )


def _is_ours(engine: Engine, claim: Claim) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        UploadedFile.id == claim.file_id,
        UploadedFile.status == "checking",
        UploadedFile.checked_by == engine.presence.number,
    )
