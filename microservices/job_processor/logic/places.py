"""A site takes so many jobs of one account at a time: runs wait for a place here, and not in vain at the site.

In turn: the person with the fewest jobs there is first, then the higher priority, then the oldest run. A person's own
account is theirs alone; a curated one is shared by all who use it.
"""

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from microservices.job_processor.models import Run
from microservices.job_processor.queries import AccountAtSite, count_places_taken, select_waiting
from microservices.kernel.db import utc_now


def find_account(run: Run, source: str) -> AccountAtSite:
    return AccountAtSite(run.service_id, source, run.owner_id if source == "own" else None)


def explain_wait(session: Session, run: Run, source: str, most: int | None) -> str | None:
    """Why the run has to wait for a place; None when it may be sent. `most`: jobs that the site takes at a time."""
    if most is None:
        return None
    account = find_account(run, source)
    taken = count_places_taken(session, account)
    if taken < most and run.id in session.scalars(select_waiting(account, also=run.id).limit(most - taken)).all():
        return None
    return f"The site takes {most} jobs of this account at a time, and {taken} are there. This one waits for its turn."


def hold_places(session: Session, run: Run, source: str) -> None:
    """Let no two transactions give away the same place."""
    key = str(find_account(run, source))
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(key, text("0")))))


def wake_next(session: Session, run: Run) -> None:
    """The run leaves its place: whose turn it is now is due."""
    if not run.attempts:
        return
    account = find_account(run, run.attempts[-1].credential_source)
    next_id = session.scalar(select_waiting(account).limit(1))
    # One that is locked is being looked at: its own turn comes with its next try.
    following = session.scalar(select(Run).where(Run.id == next_id).with_for_update(skip_locked=True))
    if following is not None:
        following.next_action_at = following.woken_at = utc_now()
