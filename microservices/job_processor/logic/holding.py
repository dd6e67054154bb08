"""A run that cannot go on at the moment is held with its reason and its next try; it is not failed."""

from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session

from microservices.backends.base import SiteError
from microservices.contracts.curation import ApiConfig
from microservices.job_processor.logic.lifecycle import change_run
from microservices.job_processor.models import Run
from microservices.kernel.db import utc_now

_LONGEST_S = 300.0


def put_off(run: Run, pause_s: float) -> None:
    """Look at the run again after `pause_s`, doubled for each setback in a row, at most 5 min."""
    run.next_action_at = utc_now() + timedelta(seconds=min(pause_s * 2 ** min(run.setbacks, 10), _LONGEST_S))
    run.setbacks += 1


def hold_run(session: Session, run: Run, reason: str, config: ApiConfig, retry_after_s: float | None = None) -> None:
    """Hold a run that is not at the site yet."""
    change_run(session, run, "waiting_for_site", reason)
    put_off(run, config.hold_retry_s)
    if retry_after_s is not None:
        run.next_action_at = utc_now() + timedelta(seconds=retry_after_s)


def fail_run(session: Session, run: Run, error: dict[str, Any]) -> None:
    """End the run; what it had at the site counts no more, so that a retry may submit again."""
    for attempt in run.attempts:
        if attempt.outcome == "accepted" and attempt.retired_at is None:
            attempt.retired_at = utc_now()
    change_run(session, run, "failed", error["message"], error=error)


def describe_error(code: str, message: str, whose: str, fix: str) -> dict[str, Any]:
    return {"code": code, "message": message, "whose": whose, "fix": fix}


def describe_site_error(error: SiteError) -> dict[str, Any]:
    return describe_error(error.code, error.message, error.whose, error.fix)
