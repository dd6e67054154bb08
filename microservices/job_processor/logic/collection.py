"""Bring a finished run's results home: each file fetched sparingly, tested, decrypted and stored here.

Sites count downloads, so a file that was fetched whole rests in the spool until all of it is stored, and one that is
stored is never asked for again.
"""

import shutil
from pathlib import Path
from uuid import UUID

from microservices.backends.base import Backend, SiteError, SiteFile
from microservices.contracts.file_manager import ResultUpload
from microservices.contracts.registry import SiteRecord
from microservices.job_processor.logic.engine import Engine
from microservices.job_processor.logic.holding import describe_site_error, fail_run, put_off
from microservices.job_processor.logic.leases import holding_lease, lock_own_run, take_lease
from microservices.job_processor.logic.lifecycle import advance_progress, change_run, tell_run
from microservices.job_processor.logic.sites import CredentialMissingError
from microservices.job_processor.models import CollectedFile, Run
from microservices.job_processor.queries import find_accepted_attempt, find_collected
from microservices.kernel.errors import ServiceError
from microservices.kernel.logs import get_logger

_GETS_PER_FILE = 3

log = get_logger(__name__)


class DownloadsSpentError(SiteError):
    """A file failed its checks as often as we may ask for it."""


def collect_results(engine: Engine, run_id: UUID) -> None:
    """Fetch what is not here yet; the run is `completed` when everything is stored, and tried again when it is not."""
    epoch = take_lease(engine.database, run_id, engine.name, ("collecting",))
    if epoch is None:
        return
    with holding_lease(engine.database, run_id, epoch):
        try:
            _collect(engine, run_id, epoch)
        except DownloadsSpentError as error:
            with engine.database.transaction() as session:
                fail_run(session, lock_own_run(session, run_id, epoch), describe_site_error(error))
        except (SiteError, ServiceError, CredentialMissingError, OSError) as error:
            _try_later(engine, run_id, epoch, error)
    if not _is_collecting(engine, run_id):
        shutil.rmtree(_spool_of(engine, run_id), ignore_errors=True)


def _try_later(engine: Engine, run_id: UUID, epoch: int, error: Exception) -> None:
    log.warning("collection_interrupted", run_id=str(run_id), error=repr(error)[:300])
    words = getattr(error, "message", None) or getattr(error, "detail", None) or f"our disk says: {error}"
    with engine.database.transaction() as session:
        run = lock_own_run(session, run_id, epoch)
        change_run(session, run, "collecting", f"The results are not all here yet: {words} This is tried again.")
        put_off(run, 5)


def _is_collecting(engine: Engine, run_id: UUID) -> bool:
    with engine.database.transaction() as session:
        run = session.get(Run, run_id)
        return run is not None and run.status == "collecting"


def _collect(engine: Engine, run_id: UUID, epoch: int) -> None:
    with engine.database.transaction() as session:
        run = lock_own_run(session, run_id, epoch)
        attempt = find_accepted_attempt(run)
        assert run.external_job_id is not None
        external_job_id = run.external_job_id
        password = engine.cipher.decrypt(attempt.result_password) if attempt is not None else None
        known = {name: row.members for name, row in find_collected(session, run_id, external_job_id).items()}
    record = engine.sites.get_record(run.service_id)
    backend = engine.loop.run(engine.sites.open(record, engine.sites.get_account(run, record)))
    offered = engine.loop.run(backend.results(external_job_id))
    for number, file in enumerate(offered, start=1):
        if known.get(file.filename) is None:
            _bring_home(engine, run, epoch, record, backend, file, password)
        _tell_progress(engine, run_id, epoch, number, len(offered))
    _complete(engine, run_id, epoch, external_job_id)


def _tell_progress(engine: Engine, run_id: UUID, epoch: int, number: int, total: int) -> None:
    with engine.database.transaction() as session:
        run = lock_own_run(session, run_id, epoch)
        run.message = f"Fetched {number} of {total} result files."
        if advance_progress(run, round(95 + 5 * number / (total + 1), 1)):
            tell_run(session, run)


def _complete(engine: Engine, run_id: UUID, epoch: int, external_job_id: str) -> None:
    with engine.database.transaction() as session:
        run = lock_own_run(session, run_id, epoch)
        collected = find_collected(session, run_id, external_job_id)
        run.results = sum(row.members or 0 for row in collected.values())
        run.queue_position = None
        change_run(session, run, "completed", f"All {run.results} result files are stored and checked.")


def _bring_home(
    engine: Engine,
    run: Run,
    epoch: int,
    record: SiteRecord,
    backend: Backend,
    file: SiteFile,
    password: str | None,
) -> None:
    path = _spool_of(engine, run.id) / f"{file.filename.replace('/', '_')}"
    if not path.exists():
        _fetch(engine, run, epoch, record, backend, file, path)
    try:
        members = _store_members(engine, run, backend, file, path, password)
    except SiteError:
        path.unlink()  # a file that failed its checks is worth nothing: the next try asks the site again
        raise
    with engine.database.transaction() as session:
        lock_own_run(session, run.id, epoch)
        row = find_collected(session, run.id, run.external_job_id or "")[file.filename]
        row.members, row.error = members, None
    path.unlink()


def _fetch(
    engine: Engine, run: Run, epoch: int, record: SiteRecord, backend: Backend, file: SiteFile, path: Path
) -> None:
    """One GET, counted before it is made, since the site counts it whatever becomes of it."""
    _count_download(engine, run, epoch, record, file)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    try:
        engine.loop.run(backend.fetch(file, part))
    except SiteError as error:
        _note_error(engine, run, epoch, file, error.message)
        raise
    part.replace(path)


def _count_download(engine: Engine, run: Run, epoch: int, record: SiteRecord, file: SiteFile) -> None:
    allowed = min(_GETS_PER_FILE, record.site.api_config.max_downloads or _GETS_PER_FILE)
    with engine.database.transaction() as session:
        lock_own_run(session, run.id, epoch)
        row = find_collected(session, run.id, run.external_job_id or "").get(file.filename)
        if row is None:
            row = CollectedFile(
                run_id=run.id, external_job_id=run.external_job_id or "", filename=file.filename, downloads=0
            )
            session.add(row)
        spent = row.downloads >= allowed or file.downloads_left == 0
        row.downloads += 0 if spent else 1
        reason = row.error
    if spent:
        raise DownloadsSpentError(
            f"'{file.filename}' could not be fetched in a good state from the site ({reason or 'no downloads left'}).",
            code="result_not_fetched",
            permanent=True,
            whose="site",
            fix="Ask the site to allow more downloads, or retry the run to impute again.",
        )


def _note_error(engine: Engine, run: Run, epoch: int, file: SiteFile, message: str) -> None:
    with engine.database.transaction() as session:
        lock_own_run(session, run.id, epoch)
        find_collected(session, run.id, run.external_job_id or "")[file.filename].error = message


def _store_members(engine: Engine, run: Run, backend: Backend, file: SiteFile, path: Path, password: str | None) -> int:
    """Test the file, and stream what is in it into file_manager; how many files it held."""
    count = 0
    for member in backend.unpack(file, path, password):
        upload = ResultUpload(
            organization_id=run.organization_id,
            owner_id=run.owner_id,
            job_id=run.job_id,
            run_id=run.id,
            filename=member.filename,
            kind=member.kind,
        )
        engine.peers.store_result(upload, member.stream)
        count += 1
    return count


def _spool_of(engine: Engine, run_id: UUID) -> Path:
    return engine.settings.spool_dir / run_id.hex
