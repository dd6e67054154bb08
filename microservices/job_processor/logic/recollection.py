"""A retry of a run whose results did not come home: what its site still has is collected again, not imputed anew.

The attempt that the site finished counts again until the site was asked, so that nothing can be sent meanwhile.
"""

from sqlalchemy import update
from sqlalchemy.orm import Session

from microservices.backends.base import ResultRefusedError, SiteError
from microservices.job_processor.logic.holding import hold_run, is_lost
from microservices.job_processor.logic.leases import own_run
from microservices.job_processor.logic.lifecycle import change_run
from microservices.job_processor.logic.situation import Situation
from microservices.job_processor.models import Attempt, CollectedFile, Run
from microservices.job_processor.queries import find_accepted_attempt, find_collected
from microservices.kernel.db import utc_now

# What ends a collection though the site may still have all of it.
NOT_FETCHED = "result_not_fetched"
_ENDED = frozenset({"failed", "cancelled", "dead", "gone"})


def reopen_collection(session: Session, run: Run) -> bool:
    """Let a locked failed run ask its site once more for what it lacks; False where it failed for another reason."""
    finished = next((attempt for attempt in reversed(run.attempts) if attempt.outcome == "accepted"), None)
    if finished is None or run.error is None or run.error.get("code") != NOT_FETCHED:
        return False
    finished.retired_at = None
    place = CollectedFile.run_id == run.id, CollectedFile.external_job_id == finished.external_job_id
    session.execute(update(CollectedFile).where(*place).values(downloads_before=CollectedFile.downloads))
    return True


def look_for_results(situation: Situation, finished: Attempt) -> bool:
    """Whether the site still has the results (they are then watched for again), or could not be asked and the run is
    held; False: they are not to be had any more, and the run may be sent anew."""
    assert finished.external_job_id is not None
    try:
        is_there = situation.engine.loop.run(_ask(situation, finished.external_job_id))
    except ResultRefusedError:
        is_there = False
    except SiteError as error:
        return _hold(situation, error)
    _settle(situation, is_there=is_there)
    return is_there


async def _ask(situation: Situation, external_job_id: str) -> bool:
    job = await situation.backend.status(external_job_id)
    if job.state != "succeeded":
        return job.state not in _ENDED
    offered = await situation.backend.results(external_job_id, situation.run.recipe)
    with situation.engine.database.transaction() as session:
        known = find_collected(session, situation.run.id, external_job_id)
    home = {name for name, row in known.items() if row.stored is not None}
    missing = [file for file in offered if file.filename not in home]
    return bool(missing) and all(file.downloads_left != 0 for file in missing)


def _hold(situation: Situation, error: SiteError) -> bool:
    """True: ask again later. A job that the site denies again and again is lost."""
    with own_run(situation.engine.database, situation.run.id, situation.epoch) as (session, run):
        lost = is_lost(run, error)
        if not lost:
            words = f"Whether the site still has the results is not known yet: {error.message}"
            hold_run(session, run, words, situation.record.site.api_config, error.retry_after_s)
    if lost:
        _settle(situation, is_there=False)
    return not lost


def _settle(situation: Situation, *, is_there: bool) -> None:
    with own_run(situation.engine.database, situation.run.id, situation.epoch) as (session, run):
        attempt = find_accepted_attempt(run)
        assert attempt is not None
        run.setbacks = 0
        if is_there:
            change_run(session, run, "submitting", "Looking for the results at the site.")
            session.flush()
            change_run(session, run, "running", "The site still has the results; they are fetched again.")
        else:
            attempt.retired_at = utc_now()
            forget_job(run)
            change_run(session, run, run.status, "The site does not have the results any more; the run is sent anew.")


def forget_job(run: Run) -> None:
    """What was known of its job at the site, before there is a new one."""
    run.progress, run.results = 0.0, 0
    run.external_job_id = run.external_status = run.queue_position = run.submitted_at = None
