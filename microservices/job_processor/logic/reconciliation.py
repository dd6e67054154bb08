"""What became of a submission that was not confirmed: found at the site, surely absent, or not to be found out.

Surely absent: the same account's list was read to its end twice, `LISTINGS_APART` apart, and both times after the
connection of the submission was over. Only then it is sent again. What cannot be found out is asked of a person.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from sqlalchemy.orm import Session

from microservices.backends.base import SiteError, SiteJob
from microservices.job_processor.logic.attempts import accept_attempt
from microservices.job_processor.logic.cancellation import cancel_unsent
from microservices.job_processor.logic.holding import describe_error, fail_run, hold_run
from microservices.job_processor.logic.leases import own_run
from microservices.job_processor.logic.lifecycle import change_run
from microservices.job_processor.logic.processes import is_surely_gone, name_process
from microservices.job_processor.logic.situation import Situation
from microservices.job_processor.models import Attempt, Run
from microservices.job_processor.queries import find_open_attempt
from microservices.kernel.db import utc_now
from microservices.kernel.logs import get_logger

LISTINGS_APART = timedelta(seconds=30)
# Sites' clocks are not ours: a job that began so much before the submission may still be it.
_CLOCKS_APART = timedelta(hours=1)
_NOT_KNOWN = (
    "It is not known whether the site has this job: the submission was not confirmed, and the site's list of jobs does"
    " not show it. It is not sent again before its absence is sure"
)
# What adapters say of a site whose list never tells whether it has a submission.
_CANNOT_LIST = frozenset({"listing_incomplete"})
_OTHER_ACCOUNT = "the present token is of another account at the site than the one that it was sent with"
Seen = TypeVar("Seen")

log = get_logger(__name__)


@dataclass
class Listing:
    """What a complete list of the account's jobs says of a submission; `unreadable` ones might be it."""

    began_at: datetime
    found: list[SiteJob] = field(default_factory=list)
    unreadable: int = 0


def reconcile(situation: Situation, mark: str) -> None:
    """Find out what became of the open attempt with this mark, as far as that can be done now."""
    is_over = _with_attempt(situation, mark, lambda *at: _note_end_of_connection(situation, *at)) is True
    try:
        identity = situation.verify_account()
        if identity is None:
            return
        if is_over and _with_attempt(situation, mark, lambda *at: _is_of_account(situation, identity, *at)) is False:
            _give_up(situation, mark, _OTHER_ACCOUNT)
            return
        listing = situation.engine.loop.run(_list_marked(situation, mark))
    except SiteError as error:
        if is_over and error.code in _CANNOT_LIST:
            _give_up(situation, mark, error.message)
        else:
            situation.settle(error)
        return
    if (
        len(listing.found) > 1
        and _with_attempt(situation, mark, lambda *at: _hold_duplicates(situation, *at)) is not False
    ):
        return
    if listing.found:
        _adopt(situation, mark, listing.found)
    else:
        _with_attempt(situation, mark, lambda *at: _note_absence(situation, listing, *at))


def _note_end_of_connection(situation: Situation, _session: Session, _run: Run, attempt: Attempt) -> bool:
    """Whether nothing more of the submission can reach the site; the moment that this became known is noted.

    Of what an earlier version sent too little is known to conclude anything but that it was found.
    """
    now = utc_now()
    if attempt.sent_by == name_process():  # we know, whatever a clock says that was set, or slept, meanwhile
        is_over = attempt.mark not in situation.engine.sending
    else:
        is_late = attempt.deadline_at is not None and now > attempt.deadline_at
        is_over = is_late or (attempt.sent_by is not None and is_surely_gone(attempt.sent_by))
    if attempt.ended_at is None and is_over:
        attempt.ended_at = now
    return attempt.ended_at is not None and attempt.account is not None


def _is_of_account(situation: Situation, identity: str, _session: Session, _run: Run, attempt: Attempt) -> bool:
    return attempt.account is not None and situation.engine.cipher.decrypt(attempt.account) == identity


async def _list_marked(situation: Situation, mark: str) -> Listing:
    """All pages. Raises `SiteError` where the list proves nothing."""
    listing = Listing(began_at=utc_now())
    since = situation.run.attempts[-1].started_at - _CLOCKS_APART
    async for job in situation.backend.list_jobs():
        if job.mark == mark:
            listing.found.append(job)
        elif not job.is_mark_known and (job.submitted_at is None or job.submitted_at >= since):
            listing.unreadable += 1
    return listing


def _hold_duplicates(situation: Situation, session: Session, run: Run, attempt: Attempt) -> bool:
    """Which of several jobs is kept may still be decided by the site's own answer, while that can come."""
    if attempt.ended_at is not None or attempt.account is None:
        return False
    words = (
        "The site has made several jobs of one submission, which is still on its way. One is kept when it has ended."
    )
    hold_run(session, run, words, situation.record.site.api_config)
    return True


def _adopt(situation: Situation, mark: str, found: list[SiteJob]) -> None:
    """The oldest job is the run's (lists are newest first); others that a site made of one submission are ended."""
    always = datetime.min.replace(tzinfo=UTC)
    oldest = min(reversed(found), key=lambda job: job.submitted_at or always)
    surplus = [job.external_job_id for job in found if job is not oldest]
    words = "The job was found at the site."
    if surplus:
        log.error("duplicate_jobs_at_site", run_id=str(situation.run.id), kept=oldest.external_job_id, surplus=surplus)
        words += f" The site had made {len(found)} jobs of it: the oldest is kept, the others are cancelled."
    for external_job_id in surplus:
        _cancel_surplus(situation, external_job_id)
    config = situation.record.site.api_config
    accept_attempt(situation.engine, situation.run.id, mark, oldest.external_job_id, config, words)


def _cancel_surplus(situation: Situation, external_job_id: str) -> None:
    try:
        situation.engine.loop.run(situation.backend.cancel(external_job_id))
    except SiteError as error:
        log.error("duplicate_job_not_cancelled", external_job_id=external_job_id, error=error.message)


def _note_absence(situation: Situation, listing: Listing, session: Session, run: Run, attempt: Attempt) -> None:
    """One complete list more does not show the submission."""
    config = situation.record.site.api_config
    if attempt.ended_at is None or attempt.account is None or listing.began_at < attempt.ended_at:
        hold_run(session, run, f"{_NOT_KNOWN}, and it may still be on its way.", config)
    elif listing.unreadable:
        hold_run(session, run, f"{_NOT_KNOWN}, and a job there cannot be told from it yet.", config)
    elif attempt.absent_since is not None and listing.began_at - attempt.absent_since >= LISTINGS_APART:
        _send_again(session, run, attempt)
    else:
        attempt.absent_since = attempt.absent_since or listing.began_at
        hold_run(session, run, f"{_NOT_KNOWN}: the list is read once more.", config)
        run.next_action_at = attempt.absent_since + LISTINGS_APART


def _send_again(session: Session, run: Run, attempt: Attempt) -> None:
    attempt.outcome = "absent"
    session.flush()
    log.warning("submission_surely_absent", run_id=str(run.id), mark=attempt.mark)
    if run.cancel_requested_at is not None:
        cancel_unsent(session, run)
        return
    change_run(session, run, "waiting_for_site", "The site surely does not have the job. It is sent again.")
    run.setbacks, run.next_action_at = 0, utc_now()


def _give_up(situation: Situation, mark: str, why: str) -> None:
    """Stop and ask: whether to send it again is for a person to decide, who can ask the site."""

    def end(session: Session, run: Run, attempt: Attempt) -> None:
        attempt.outcome = "unknown"
        session.flush()
        message = f"Whether the site has this job cannot be found out: {why.rstrip('.')}."
        question = f"Ask the site's operators for a job named {attempt.mark}."
        if run.cancel_requested_at is not None:
            change_run(session, run, "cancelled", f"{message} {question}")
        else:
            fix = f"{question} If they have none, retry the run."
            fail_run(session, run, describe_error("submission_unknown", message, "site", fix))

    _with_attempt(situation, mark, end)


def _with_attempt(situation: Situation, mark: str, look: Callable[[Session, Run, Attempt], Seen]) -> Seen | None:
    """`look` at the attempt, with its run locked; None when whoever had sent it came back, and wrote how it ended."""
    with own_run(situation.engine.database, situation.run.id, situation.epoch) as (session, run):
        attempt = find_open_attempt(run)
        if attempt is None or attempt.mark != mark:
            return None
        return look(session, run, attempt)
