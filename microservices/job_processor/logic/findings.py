"""What a site says of a run is written down: many that say nothing new in one statement, news one by one."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.orm import Session

from microservices.backends.base import CANCEL_STEP, SiteError, SiteJob
from microservices.backends.blame import tell_whose
from microservices.contracts.curation import ApiConfig
from microservices.job_processor.logic.engine import Engine
from microservices.job_processor.logic.failover import finish_move, forget_move
from microservices.job_processor.logic.holding import describe_error, describe_lost_job, fail_run, is_lost, put_off
from microservices.job_processor.logic.lifecycle import advance_progress, change_run, clean_words, tell_run
from microservices.job_processor.logic.restarting import describe_death
from microservices.job_processor.models import Run
from microservices.job_processor.queries import Watched, lock_run, put_off_unchanged
from microservices.kernel.db import utc_now
from microservices.kernel.logs import get_logger

# Of a run's 100 %, the site's own work is the first 95; bringing the results home is the rest.
_SITE_SHARE = 0.95
_UNFINISHED = frozenset({"waiting", "running", "finishing"})
_FIXES = {
    "input": "Read the site's words above, change the input or the parameters, and submit again.",
    "site": "Retry the run; if it fails again, show the site's operators its words above.",
}

log = get_logger(__name__)


class Found(NamedTuple):
    """What was found out about a run: the site's answer, or (text) why it could not be asked."""

    run: Watched
    config: ApiConfig
    finding: SiteJob | SiteError | str


def write_findings(engine: Engine, found: Sequence[Found], on_ready: Callable[[UUID], None]) -> None:
    """Write what was found; `on_ready` is told each run whose results are ready to be collected.

    One run whose news cannot be written keeps no other from being written.
    """
    same = {one.run.id: one for one in found if not is_news(one)}
    now = utc_now()
    rows = [(one.run.id, one.run.external_job_id, plan_next(one.run, one.config, now)) for one in same.values()]
    with engine.database.transaction() as session:
        written = put_off_unchanged(session, rows)
    for one in found:
        if one.run.id in written:
            continue
        try:
            _conclude(engine, one, on_ready)
        except Exception:
            log.exception("finding_not_written", run_id=str(one.run.id))


def is_news(one: Found) -> bool:
    """Whether more has to be written than when to look again."""
    run, job = one.run, one.finding
    if not isinstance(job, SiteJob) or job.state not in _UNFINISHED or run.cancel_requested_at is not None:
        return True
    progress = _share_progress(job)
    return (
        run.setbacks > 0
        or run.external_status != clean_words(job.external_status)
        or run.queue_position != job.queue_position
        or run.message != clean_words(tell_state(job))
        or (progress is not None and progress > run.progress)
    )


def _conclude(engine: Engine, one: Found, on_ready: Callable[[UUID], None]) -> None:
    """Write what was found about a run as it was when it was claimed: it may have ended or been sent anew since."""
    asked = one.run
    with engine.database.transaction() as session:
        run = lock_run(session, asked.id)
        if run is None or run.status != "running" or run.external_job_id != asked.external_job_id:
            return
        if isinstance(one.finding, str):
            change_run(session, run, "running", one.finding)
            put_off(run, 5)
        elif isinstance(one.finding, SiteError):
            _apply_error(session, run, one.config, one.finding)
        else:
            _apply_state(session, run, one.config, one.finding)
        if run.cancel_requested_at is not None and asked.cancel_requested_at is None:
            run.next_action_at = utc_now()
    if run.status == "collecting":
        on_ready(run.id)


def _apply_error(session: Session, run: Run, config: ApiConfig, error: SiteError) -> None:
    """No news is no failure: only a job that the site denies again and again is lost."""
    if is_lost(run, error):
        if run.cancel_requested_at is not None:
            _end_cancelled(session, run, "The site does not know the job any more.")
        else:
            fail_run(session, run, describe_lost_job(run))
        return
    change_run(session, run, "running", f"No news from the site: {error.message}")
    put_off(run, config.poll_first_s, error.retry_after_s)


def _apply_state(session: Session, run: Run, config: ApiConfig, job: SiteJob) -> None:
    is_news = run.external_status != job.external_status
    run.setbacks = 0
    run.external_status = clean_words(job.external_status)
    run.queue_position = job.queue_position
    match job.state:
        case "succeeded":
            run.queue_position = None
            forget_move(run)
            advance_progress(run, 100 * _SITE_SHARE)
            change_run(session, run, "collecting", "The site has finished; its results are being fetched.")
        case "failed" if run.cancel_requested_at is None or not is_news:
            _apply_failure(session, run, job)
        case "cancelled":
            _apply_cancelled(session, run)
        case "dead" | "gone" if run.cancel_requested_at is not None:
            _end_cancelled(session, run, "The job has ended at the site.")
        case "dead":
            fail_run(session, run, describe_death(run, job))
        case "gone":
            fix = "Retry the run to submit it again."
            message = "The site has deleted the job's results already."
            fail_run(session, run, describe_error("results_gone", message, "site", fix))
        case _:  # also a failure just after a cancel, which sites show for a moment before they say `cancelled`
            _apply_progress(session, run, config, job)


def _apply_cancelled(session: Session, run: Run) -> None:
    whose = "The site confirmed the cancellation." if run.cancel_requested_at else "The job was cancelled at the site."
    _end_cancelled(session, run, whose)


def _end_cancelled(session: Session, run: Run, message: str) -> None:
    is_wanted = run.move_requested_at is not None
    if finish_move(session, run):
        return
    if is_wanted:
        message = "The site has ended the job, so that the run goes on elsewhere, but no alternate is left by now."
        fail_run(session, run, describe_error("no_alternate_left", message, "platform", "Retry the run."))
    else:
        change_run(session, run, "cancelled", message)


def _apply_failure(session: Session, run: Run, job: SiteJob) -> None:
    texts = [message.text for message in job.messages if message.level == "error"]
    message = " ".join(texts) or "The job failed at the site, which gives no reason."
    whose = tell_whose(job.messages)
    if whose != "input" and finish_move(session, run):
        return
    fail_run(session, run, describe_error("site_job_failed", message, whose, _FIXES[whose]))


def _apply_progress(session: Session, run: Run, config: ApiConfig, job: SiteJob) -> None:
    moved = advance_progress(run, _share_progress(job))
    message = tell_state(job) if run.cancel_requested_at is None else _tell_cancelling(job)
    if message != run.message:
        change_run(session, run, "running", message)
    elif moved:
        tell_run(session, run)
    run.next_action_at = plan_next(run, config, utc_now())


def _tell_cancelling(job: SiteJob) -> str:
    said = [message.text for message in job.messages if message.step == CANCEL_STEP]
    return " ".join(["The site was asked to cancel.", *said])


def tell_state(job: SiteJob) -> str:
    if job.state == "waiting":
        ahead = f" ({job.queue_position} jobs ahead)" if job.queue_position else ""
        return f"Waiting in the site's queue{ahead}."
    if job.messages:
        last = job.messages[-1]
        return f"{last.step}: {last.text.splitlines()[0][:300]}" if last.text.strip() else last.step
    return "The site is at work."


def _share_progress(job: SiteJob) -> float | None:
    return None if job.progress is None else round(job.progress * _SITE_SHARE, 1)


def plan_next(run: Run | Watched, config: ApiConfig, now: datetime) -> datetime:
    """Soon for a young run, then after a tenth of its age, up to the site's longest interval."""
    age_s = (now - (run.submitted_at or run.created_at)).total_seconds()
    longest_s = config.poll_first_s if run.cancel_requested_at is not None else config.poll_max_s
    return now + timedelta(seconds=max(config.poll_first_s, min(age_s / 10, longest_s)))
