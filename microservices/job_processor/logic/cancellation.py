"""Cancel reaches the site: a run that is there ends when the site says so, never merely here."""

from sqlalchemy.orm import Session

from microservices.job_processor.errors import JobStateError
from microservices.job_processor.logic.lifecycle import change_run
from microservices.job_processor.models import FINAL_STATUSES, Job, Run
from microservices.job_processor.queries import find_accepted_attempt, find_open_attempt, lock_run
from microservices.kernel.db import utc_now


def request_cancel(session: Session, job: Job) -> None:
    """Ask for the end of every unfinished run of a locked job.

    A run that somebody works on ends at that worker's next step; for one that is at a site, the watch asks the site.
    """
    unfinished = [run for run in job.runs if run.status not in FINAL_STATUSES]
    if not unfinished:
        raise JobStateError(f"The job is {job.status} already; there is nothing to cancel.")
    for run in unfinished:
        lock_run(session, run.id)
        run.cancel_requested_at = run.cancel_requested_at or utc_now()
        run.move_requested_at = None
        run.next_action_at = utc_now()
        if run.status == "running":
            change_run(session, run, "running", "Asking the site to cancel.")
        elif run.lease_until is None and run.status == "collecting":
            cancel_collecting(session, run)
        elif run.lease_until is None and run.status in ("queued", "waiting_for_site"):
            cancel_unsent(session, run)


def cancel_unsent(session: Session, run: Run) -> None:
    """End a run of which nothing is under way at a site."""
    assert find_open_attempt(run) is None
    if find_accepted_attempt(run) is not None:
        words = "Cancelled before the results were fetched again; those that are here stay."
    else:
        words = (
            "Cancelled before it was sent again." if run.attempts else "Cancelled before anything was sent to the site."
        )
    change_run(session, run, "cancelled", words)


def cancel_collecting(session: Session, run: Run) -> None:
    change_run(session, run, "cancelled", "Cancelled while the results were being fetched; those that are here stay.")
