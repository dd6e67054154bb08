"""Fetch one of a run's result files: sparingly, since sites count each GET, and with a note of each.

A GET that brought nothing usable is repeated at most twice, and never with the last that the site allows: that one is
left to the person. Where the site counts nothing, a connection that breaks is no reason to give up.
"""

from dataclasses import dataclass
from pathlib import Path

from microservices.backends.base import Backend, ResultRefusedError, SiteError, SiteFile, SiteUnavailableError
from microservices.job_processor.logic.engine import Engine
from microservices.job_processor.logic.leases import own_run
from microservices.job_processor.logic.lifecycle import change_run, clean_words
from microservices.job_processor.logic.recollection import NOT_FETCHED
from microservices.job_processor.logic.spool import check_space
from microservices.job_processor.models import CollectedFile, Run
from microservices.job_processor.queries import find_collected

MOST_GETS = 3


@dataclass(frozen=True)
class Collection:
    """A leased run at a site that has finished it.

    `panel_build`: None where the catalogue has lost the panel. `max_downloads`: what the curator knows of the site's
    counter.
    """

    engine: Engine
    run: Run
    epoch: int
    attempt: int
    external_job_id: str
    backend: Backend
    password: str
    panel_build: str | None
    max_downloads: int | None


def fetch_file(collection: Collection, file: SiteFile, path: Path) -> None:
    """One GET, counted before it is made, since the site counts it whatever becomes of it."""
    check_space(path.parent, file)
    _count_download(collection, file)
    part = path.with_suffix(f".{collection.epoch}")
    try:
        collection.engine.loop.run(collection.backend.fetch(file, part))
    except SiteError as error:
        note_trouble(collection, file, error, was_served=_was_served(collection, file, error))
        raise
    part.replace(path)


def _was_served(collection: Collection, file: SiteFile, error: SiteError) -> bool:
    """Whether it counts: the site gave the file, as far as it could tell, and not what it refused or we cannot keep."""
    if isinstance(error, SiteUnavailableError):
        is_counted = file.downloads_left is not None or collection.max_downloads is not None
        return is_counted and error.code in ("connection_lost", "timeout")
    return isinstance(error, ResultRefusedError) and error.code != "result_not_ready"


def _count_download(collection: Collection, file: SiteFile) -> None:
    with own_run(collection.engine.database, collection.run.id, collection.epoch) as (session, run):
        place = (run.id, collection.external_job_id, file.filename)
        row = session.get(CollectedFile, place)
        if row is None:
            row = CollectedFile(run_id=place[0], external_job_id=place[1], filename=place[2])
            row.downloads = row.downloads_before = 0
            session.add(row)
        spent = _is_spent(collection, file, row)
        row.downloads += 0 if spent else 1
        reason = row.error
    if spent:
        left = "One more download is left to you there." if file.downloads_left == 1 else ""
        raise ResultRefusedError(
            f"'{file.filename}' could not be fetched in a good state from the site ({reason or 'no downloads left'}).",
            code=NOT_FETCHED,
            permanent=True,
            fix=f"Retry the run: it is fetched again while the site still gives it, else imputed again. {left}".strip(),
        )


def _is_spent(collection: Collection, file: SiteFile, row: CollectedFile) -> bool:
    """The first GET, and the first of a retry, may be the only one that there is; a repeated one is never the last."""
    tried, most = row.downloads - row.downloads_before, collection.max_downloads
    kept_back = 0 if tried == 0 else 1
    is_last = file.downloads_left is not None and file.downloads_left <= kept_back
    return is_last or (most is not None and row.downloads >= most - kept_back) or tried >= MOST_GETS


def note_trouble(collection: Collection, file: SiteFile, error: SiteError, *, was_served: bool) -> None:
    """Of a GET that was for nothing; one that used up a download is told in the run's history."""
    with own_run(collection.engine.database, collection.run.id, collection.epoch) as (session, run):
        row = find_collected(session, run.id, collection.external_job_id)[file.filename]
        row.error = clean_words(error.message)
        row.downloads -= 0 if was_served else 1
        if was_served:
            number = row.downloads - row.downloads_before
            told = f"Download {number} of at most {MOST_GETS} of '{file.filename}' was for nothing:"
            change_run(session, run, "collecting", f"{told} {error.message}")
