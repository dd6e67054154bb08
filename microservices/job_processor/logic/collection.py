"""Bring a finished run's results home: each file fetched sparingly, tested, decrypted and stored here.

Sites count downloads, so a file that was fetched whole rests in the spool until all of it is stored, and one that is
stored is never asked for again.
"""

import io
from dataclasses import asdict
from pathlib import Path
from uuid import UUID

from sqlalchemy.orm import Session

from microservices.backends.archives import list_contents
from microservices.backends.base import ResultRefusedError, SiteError, SiteFile
from microservices.contracts.file_manager import ResultUpload
from microservices.job_processor.logic.accuracy import InfoStream, Tally, add_up, read_tally, tells_accuracy
from microservices.job_processor.logic.cancellation import cancel_collecting
from microservices.job_processor.logic.coverage import judge_coverage, tell_losses
from microservices.job_processor.logic.engine import Engine
from microservices.job_processor.logic.fetching import Collection, fetch_file, note_trouble
from microservices.job_processor.logic.holding import (
    LOOKS_BEFORE_LOST,
    describe_lost_job,
    describe_site_error,
    fail_run,
    is_lost,
    put_off,
)
from microservices.job_processor.logic.leases import LeaseLostError, holding_lease, own_run, take_lease
from microservices.job_processor.logic.lifecycle import advance_progress, change_run, tell_run
from microservices.job_processor.logic.sites import CredentialMissingError
from microservices.job_processor.logic.spool import choose_name, clean_spool, place_file
from microservices.job_processor.models import Run, RunSummary
from microservices.job_processor.queries import find_accepted_attempt, find_collected, find_summaries
from microservices.kernel.errors import ServiceError
from microservices.kernel.logs import get_logger

log = get_logger(__name__)


class CollectionCancelledError(Exception):
    """The person does not want the results any more."""


def collect_results(engine: Engine, run_id: UUID) -> None:
    """Fetch what is not here yet; the run is `completed` when everything is stored, and tried again when it is not."""
    epoch = take_lease(engine.database, run_id, engine.name, ("collecting",))
    if epoch is None:
        return
    with holding_lease(engine.database, run_id, epoch):
        try:
            _collect(engine, run_id, epoch)
        except LeaseLostError:
            raise
        except CollectionCancelledError:
            with own_run(engine.database, run_id, epoch) as (session, run):
                cancel_collecting(session, run)
        except Exception as error:
            _settle_trouble(engine, run_id, epoch, error)
    clean_spool(engine.database, engine.settings.spool_dir)


def _settle_trouble(engine: Engine, run_id: UUID, epoch: int, error: Exception) -> None:
    """Try again as long as that can help: what the site will never give ends the run, and nothing else does."""
    log.warning("collection_interrupted", run_id=str(run_id), error=repr(error)[:300])
    with own_run(engine.database, run_id, epoch) as (session, run):
        if isinstance(error, ResultRefusedError) and error.permanent:
            fail_run(session, run, describe_site_error(error))
        elif is_lost(run, error):
            fail_run(session, run, describe_lost_job(run))
        else:
            message = f"The results are not all here yet: {_explain(error)} This is tried again."
            change_run(session, run, "collecting", message)
            put_off(run, 5, error.retry_after_s if isinstance(error, SiteError) else None)


def _explain(error: Exception) -> str:
    match error:
        case SiteError():
            return error.message
        case ServiceError():
            return error.detail
        case CredentialMissingError():
            return "The token that the run was sent with is gone. Add it again."
        case OSError():
            return f"Our disk says: {error.strerror}."
        case _:
            return f"A fault of the platform ({type(error).__name__})."


def _collect(engine: Engine, run_id: UUID, epoch: int) -> None:
    collection = _prepare(engine, run_id, epoch)
    offered = engine.loop.run(collection.backend.results(collection.external_job_id, collection.run.recipe))
    if not offered:
        raise _refuse_emptiness(collection.run)
    refusals, names = [], [file.filename for file in offered]
    for number, file in enumerate(offered, start=1):
        try:
            _bring_home(collection, file, names)
        except ResultRefusedError as error:  # one bad file keeps no other from coming home
            refusals.append(error)
        _tell_progress(collection, number, len(offered))
    if refusals:
        raise min(refusals, key=lambda error: error.permanent)
    with own_run(engine.database, run_id, epoch) as (session, run):
        run.queue_position = None
        has_genotypes = any(file.kind == "imputed_data" for file in offered)
        losses = _note_coverage(session, run, collection.panel_build, has_genotypes=has_genotypes)
        change_run(session, run, "completed", _tell_end(len(offered), run.results, losses))


def _tell_end(offered: int, stored: int, losses: str) -> str:
    """What sites offer is counted apart from what was in it: an archive holds several result files."""
    inside = "" if offered == stored else f", with {stored} result files in them"
    end = f"All {offered} of the site's files are fetched{inside}; everything is checked and stored."
    return f"{end} The results are not complete: {losses}" if losses else end


def _note_coverage(session: Session, run: Run, panel_build: str | None, *, has_genotypes: bool) -> str:
    """What the site has silently left out, in words; a check of quality imputes nothing.

    Of genotypes in files that tell nothing of their sites it is not known what they cover.
    """
    inputs: dict[str, list[int]] = {}
    for source in run.job.inputs:
        inputs |= source.sites_per_mb or {}
    tallies = [read_tally(row.tally) for row in find_summaries(session, run)]
    known = (tallies or not has_genotypes) and all(source.sites_per_mb is not None for source in run.job.inputs)
    run.coverage = None
    if not known or run.job.parameters.get("mode") == "qc_only":
        return ""
    coverage = judge_coverage(inputs, add_up(tallies), same_build=panel_build == run.job.parameters["build"])
    run.coverage = asdict(coverage)
    return tell_losses(coverage)


def _prepare(engine: Engine, run_id: UUID, epoch: int) -> Collection:
    with own_run(engine.database, run_id, epoch) as (_session, run):
        attempt = find_accepted_attempt(run)
    if run.cancel_requested_at is not None:
        raise CollectionCancelledError
    assert attempt is not None
    assert attempt.external_job_id is not None
    record = engine.sites.get_record(run.service_id)
    account = engine.sites.get_account(run, record, attempt.credential_source)
    backend = engine.loop.run(engine.sites.open(record, account))
    password = engine.cipher.decrypt(attempt.result_password)
    build = next((panel.build for panel in record.site.panels if panel.id == run.panel_id), None)
    most = record.site.api_config.max_downloads
    return Collection(engine, run, epoch, attempt.number, attempt.external_job_id, backend, password, build, most)


def _refuse_emptiness(run: Run) -> ResultRefusedError:
    return ResultRefusedError(
        "The site says that the job has succeeded, but offers no results.",
        code="no_results",
        permanent=run.setbacks + 1 >= LOOKS_BEFORE_LOST,
        fix="Ask the site, or retry the run to impute again.",
    )


def _tell_progress(collection: Collection, number: int, total: int) -> None:
    with own_run(collection.engine.database, collection.run.id, collection.epoch) as (session, run):
        if run.cancel_requested_at is not None:
            raise CollectionCancelledError
        run.message = f"Fetched {number} of the site's {total} files."
        if advance_progress(run, round(95 + 5 * number / (total + 1), 1)):
            tell_run(session, run)


def _bring_home(collection: Collection, file: SiteFile, offered: list[str]) -> None:
    engine, run_id, external_job_id = collection.engine, collection.run.id, collection.external_job_id
    with engine.database.transaction() as session:
        collected = find_collected(session, run_id, external_job_id)
    known = collected.pop(file.filename, None)
    if known is not None and known.stored is not None:
        return
    tallies: dict[str, Tally] = {}
    taken = {name for row in collected.values() for name in row.stored or ()}
    path = place_file(engine.settings.spool_dir, run_id, external_job_id, file.filename)
    if not path.exists():
        fetch_file(collection, file, path)
    try:
        siblings = [*offered, *list_contents(file, path)]
        names = _store_members(collection, file, path, taken, tallies, siblings)
    except SiteError as error:
        path.unlink()  # a file that failed its checks is worth nothing: the next try asks the site again
        note_trouble(collection, file, error, was_served=True)
        raise
    with own_run(engine.database, run_id, collection.epoch) as (session, run):
        rows = find_collected(session, run_id, external_job_id)
        rows[file.filename].stored, rows[file.filename].error = names, None
        run.results = sum(len(row.stored or ()) for row in rows.values())
        for name, tally in tallies.items():
            session.merge(_make_summary(run, external_job_id, name, tally))
    path.unlink()


def _make_summary(run: Run, external_job_id: str, filename: str, tally: Tally) -> RunSummary:
    return RunSummary(
        run_id=run.id,
        external_job_id=external_job_id,
        filename=filename,
        organization_id=run.organization_id,
        owner_id=run.owner_id,
        tally=asdict(tally),
    )


def _store_members(
    collection: Collection,
    file: SiteFile,
    path: Path,
    taken: set[str],
    tallies: dict[str, Tally],
    siblings: list[str],
) -> list[str]:
    """Test the file, and stream what is in it into file_manager; the names that its files have there.

    What the site says of its sites on the way is put into `tallies`.
    """
    names: list[str] = []
    run = collection.run
    for member in collection.backend.unpack(file, path, collection.password):
        name = choose_name(member.filename, file.filename, taken | set(names))
        upload = ResultUpload(
            organization_id=run.organization_id,
            owner_id=run.owner_id,
            job_id=run.job_id,
            run_id=run.id,
            attempt=collection.attempt,
            filename=name,
            kind=member.kind,
        )
        info = InfoStream(member.stream) if tells_accuracy(member.filename, siblings) else None
        collection.engine.peers.store_result(upload, io.BufferedReader(info) if info else member.stream)
        if info is not None and info.tally is not None:
            tallies[name] = info.tally
        names.append(name)
    return names
