"""A run goes on at its next alternate: only while surely nothing of it is at a site, so that it never has two jobs."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from microservices.job_processor.errors import JobStateError
from microservices.job_processor.logic.lifecycle import change_run, tell_end
from microservices.job_processor.logic.places import wake_next
from microservices.job_processor.models import FINAL_STATUSES, Run
from microservices.job_processor.queries import find_accepted_attempt, find_open_attempt
from microservices.kernel.db import utc_now


def list_alternates(run: Run) -> list[dict[str, Any]]:
    """What is left to go on at, best first."""
    siblings = (
        (str(other.service_id), str(other.panel_id), other.status) for other in run.job.runs if other is not run
    )
    return drop_taken(run.choices[run.choice + 1 :], siblings)


def drop_taken(choices: list[dict[str, Any]], siblings: Iterable[tuple[str, str, str]]) -> list[dict[str, Any]]:
    """Without those where a sibling of the run (site, panel, status) is, or has been imputed."""
    if not choices:
        return []
    taken = {(site, panel) for site, panel, status in siblings if status not in ("failed", "cancelled")}
    return [one for one in choices if (one["service_id"], one["panel_id"]) not in taken]


def is_patience_over(run: Run) -> bool:
    """Whether the site has kept the run waiting for so long that an alternate is to be taken."""
    patience = timedelta(seconds=run.failover_after_s)
    return run.away_since is not None and utc_now() - run.away_since >= patience and bool(list_alternates(run))


def fail_over(session: Session, run: Run, why: str) -> bool:
    """Move a locked run to its next alternate, and tell why; False where it cannot be moved, and nothing is changed."""
    is_bound = find_open_attempt(run) is not None or find_accepted_attempt(run) is not None
    alternates = list_alternates(run)
    if is_bound or run.cancel_requested_at is not None or not alternates:
        return False
    left, chosen = run.choices[run.choice], alternates[0]
    if run.attempts:
        session.flush()
        wake_next(session, run)
        tell_end(session, run)
    run.choice = run.choices.index(chosen)
    run.service_id, run.panel_id = UUID(chosen["service_id"]), UUID(chosen["panel_id"])
    run.panel_key, run.recipe = chosen["panel_key"], chosen["recipe"]
    run.progress, run.results, run.setbacks = 0.0, 0, 0
    run.external_job_id = run.external_status = run.queue_position = run.submitted_at = None
    run.waits_for = run.away_since = run.move_requested_at = None
    words = f"The run was moved from {_name(left)} to {_name(chosen)}. {why}"
    change_run(session, run, "waiting_for_site", words)
    run.next_action_at = utc_now()
    return True


def _name(choice: dict[str, Any]) -> str:
    return f"'{choice['panel_name']}' at '{choice['site_name']}'"


def request_move(session: Session, run: Run, why: str = "") -> None:
    """Ask for the next alternate of a locked run: at once where nothing is at the site, else once it has cancelled."""
    if run.status in FINAL_STATUSES or run.status == "collecting":
        raise JobStateError(f"The run is {run.status}; there is nothing to move.")
    if not list_alternates(run):
        raise JobStateError("The run has no alternate left to go on at.")
    if find_open_attempt(run) is not None:
        raise JobStateError("Whether the site has the run is not known yet. Try again when it is.")
    if run.status != "running" and find_accepted_attempt(run) is not None:
        raise JobStateError(
            "The site has finished the run, and its results are to be fetched again. Cancel it, or wait."
        )
    if run.cancel_requested_at is not None:
        raise JobStateError("The run is being cancelled already.")
    run.move_requested_at = run.next_action_at = utc_now()
    if run.status == "running":
        run.cancel_requested_at = run.move_requested_at
        change_run(session, run, "running", f"Asking the site to cancel, to go on elsewhere. {why}".strip())


def leave_site(session: Session, run: Run) -> bool:
    """Move a locked run of which nothing is at a site, where that was asked for.

    A wish for which no alternate is left, as a sibling of the run has it by now, is forgotten: the run stays.
    """
    if run.move_requested_at is None:
        return False
    if fail_over(session, run, "It was asked to leave."):
        return True
    run.move_requested_at = None
    return False


def finish_move(session: Session, run: Run) -> bool:
    """The site has surely ended the job that it was asked to cancel: go on at the alternate, where that was wished."""
    if run.move_requested_at is None:
        return False
    run.cancel_requested_at = None
    accepted = find_accepted_attempt(run)
    if accepted is not None:
        accepted.retired_at = utc_now()
    return fail_over(session, run, "The site has ended the job there.")


def forget_move(run: Run) -> None:
    """The site was done before it was asked: its results are taken."""
    if run.move_requested_at is not None:
        run.move_requested_at = run.cancel_requested_at = None
