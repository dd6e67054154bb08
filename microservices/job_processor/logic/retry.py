"""Again, or away with it: what may be done with a job that has ended."""

from uuid import UUID

from sqlalchemy.orm import Session

from microservices.job_processor.errors import JobStateError
from microservices.job_processor.logic.lifecycle import change_run
from microservices.job_processor.models import FINAL_STATUSES, Job


def retry_failed_runs(session: Session, job: Job) -> list[UUID]:
    """Queue the failed runs of a locked job again; those that succeeded are left alone."""
    failed = [run for run in job.runs if run.status == "failed"]
    if not failed:
        raise JobStateError("No run of this job has failed; there is nothing to retry.")
    for run in failed:
        run.progress, run.results = 0.0, 0
        run.external_job_id = run.external_status = run.queue_position = run.submitted_at = None
        run.cancel_requested_at = run.move_requested_at = run.away_since = None
        change_run(session, run, "queued", "Waiting to be sent again.")
    return [run.id for run in failed]


def check_deletable(job: Job) -> None:
    if any(run.status not in FINAL_STATUSES for run in job.runs):
        raise JobStateError("The job is not finished. Cancel it first.")
