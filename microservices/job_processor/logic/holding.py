"""A run that cannot go on at the moment is held with its reason and its next try; it is not failed."""

from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session

from microservices.backends.base import (
    CredentialRefusedError,
    JobNotFoundError,
    SiteError,
    SiteFullError,
    SiteUnavailableError,
)
from microservices.contracts.curation import ApiConfig
from microservices.job_processor.logic.cancellation import cancel_unsent
from microservices.job_processor.logic.failover import fail_over, is_patience_over, list_alternates
from microservices.job_processor.logic.lifecycle import change_run, clean_words
from microservices.job_processor.models import Run
from microservices.job_processor.queries import find_open_attempt
from microservices.kernel.db import utc_now

_YOUTH = timedelta(seconds=60)
LOOKS_BEFORE_LOST = 3
_LONGEST_S = 300.0
_DENIED = "not found"


def put_off(run: Run, pause_s: float, retry_after_s: float | None = None) -> None:
    """Look at the run again after `pause_s`, doubled for each setback in a row, at most 5 min; or when the site said.

    One that was woken meanwhile is looked at again at once: what stopped it may be gone since it was looked at.
    """
    if run.woken_at is not None:
        run.next_action_at, run.woken_at = utc_now(), None
        return
    pause_s = min(pause_s * 2 ** min(run.setbacks, 10), _LONGEST_S)
    run.next_action_at = utc_now() + timedelta(seconds=pause_s if retry_after_s is None else retry_after_s)
    run.setbacks += 1


def hold_run(session: Session, run: Run, reason: str, config: ApiConfig, retry_after_s: float | None = None) -> None:
    """Hold a run that is on its way: a submission without an answer stays one, any other waits for the site."""
    is_open = find_open_attempt(run) is not None
    if run.cancel_requested_at is not None and not is_open:
        cancel_unsent(session, run)
        return
    change_run(session, run, run.status if is_open else "waiting_for_site", reason)
    run.waits_for = run.away_since = None
    put_off(run, config.hold_retry_s, retry_after_s)


def hold_for_site(
    session: Session, run: Run, reason: str, config: ApiConfig, retry_after_s: float | None = None
) -> None:
    """Hold a run whose site is unavailable or full; after too long a time it is moved to its next alternate."""
    if find_open_attempt(run) is not None:
        hold_run(session, run, reason, config, retry_after_s)
        return
    away_since = run.away_since = run.away_since or utc_now()
    if is_patience_over(run) and fail_over(session, run, reason):
        return
    hold_run(session, run, reason, config, retry_after_s)
    run.away_since = away_since
    if run.status == "waiting_for_site" and list_alternates(run):
        patience_ends = away_since + timedelta(seconds=run.failover_after_s)
        run.next_action_at = min(run.next_action_at, max(patience_ends, utc_now()))


def settle_site_error(session: Session, run: Run, error: SiteError, config: ApiConfig) -> None:
    """Hold a run that is on its way, or end it where nothing of it is at the site and trying again cannot help."""
    passes = isinstance(error, CredentialRefusedError | SiteFullError | SiteUnavailableError)
    if error.permanent and not passes and find_open_attempt(run) is None:
        give_up_site(session, run, describe_site_error(error))
        return
    is_site = error.whose == "site" and not isinstance(error, CredentialRefusedError)
    hold, service_id = hold_for_site if is_site else hold_run, run.service_id
    hold(session, run, f"{error.message} {error.fix}".strip(), config, error.retry_after_s)
    if isinstance(error, SiteFullError) and run.attempts and run.service_id == service_id:
        run.waits_for = run.attempts[-1].credential_source


def is_lost(run: Run, error: Exception) -> bool:
    """Whether the site has denied the job so often in a row that it is believed; any other trouble ends the row."""
    denied = isinstance(error, JobNotFoundError)
    if denied != (run.external_status == _DENIED):
        run.setbacks = 0
        run.external_status = _DENIED if denied else None
    # Some sites do not know a job of theirs for a while just after they took it.
    is_young = run.submitted_at is not None and utc_now() - run.submitted_at < _YOUTH
    return denied and not is_young and run.setbacks + 1 >= LOOKS_BEFORE_LOST


def fail_run(session: Session, run: Run, error: dict[str, Any]) -> None:
    """End the run; what it had at the site counts no more, so that a retry may submit again."""
    for attempt in run.attempts:
        if attempt.outcome == "accepted" and attempt.retired_at is None:
            attempt.retired_at = utc_now()
    change_run(session, run, "failed", error["message"], error=error)


def give_up_site(session: Session, run: Run, error: dict[str, Any]) -> None:
    """The site will never take the run: go on at its next alternate, unless the fault would go with it, or fail."""
    if error["whose"] != "site" or not fail_over(session, run, error["message"]):
        fail_run(session, run, error)


def describe_error(code: str, message: str, whose: str, fix: str) -> dict[str, Any]:
    return {"code": code, "message": clean_words(message), "whose": whose, "fix": clean_words(fix)}


def describe_site_error(error: SiteError) -> dict[str, Any]:
    return describe_error(error.code, error.message, error.whose, error.fix)


def describe_lost_job(run: Run) -> dict[str, Any]:
    message = f"The site does not know the job {run.external_job_id} any more."
    fix = "It was deleted there, or the site was rebuilt. Retry the run to submit it again."
    return describe_error("site_lost_job", message, "site", fix)
