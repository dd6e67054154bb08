"""Again, or away with it: what may be done with a job that has ended."""

from uuid import UUID

from sqlalchemy.orm import Session

from microservices.job_processor.errors import JobStateError
from microservices.job_processor.logic.lifecycle import change_run
from microservices.job_processor.logic.recollection import forget_job, reopen_collection
from microservices.job_processor.models import FINAL_STATUSES, Job


def retry_failed_runs(session: Session, job: Job) -> list[UUID]:
    """Queue the failed runs of a locked job again; those that succeeded are left alone.

    Where only the results did not come home, the site is asked for them before anything is imputed anew.
    """
    failed = [run for run in job.runs if run.status == "failed"]
    if not failed:
        raise JobStateError("No run of this job has failed; there is nothing to retry.")
    for run in failed:
        is_reopened = reopen_collection(session, run)
        if not is_reopened:
            forget_job(run)
        run.cancel_requested_at = run.move_requested_at = run.away_since = None
        wait = "Waiting to fetch the results again." if is_reopened else "Waiting to be sent again."
        change_run(session, run, "queued", wait)
    return [run.id for run in failed]


def check_deletable(job: Job) -> None:
    if any(run.status not in FINAL_STATUSES for run in job.runs):
        raise JobStateError("The job is not finished. Cancel it first.")
