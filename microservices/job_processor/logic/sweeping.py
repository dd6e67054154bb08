"""Find the work that nobody does: PostgreSQL knows it, whatever became of the messages.

A killed worker, a flushed Redis or a lost message costs seconds. What is handed out is put off a little, so that a busy
queue does not fill with the same run.
"""

from datetime import timedelta
from uuid import UUID

from microservices.job_processor.queries import claim_in_turn
from microservices.kernel.db import Database, utc_now

_PAUSE = timedelta(seconds=5)
_BATCH = 500

SUBMIT = ("queued", "waiting_for_site", "submitting")
COLLECT = ("collecting",)


def claim_due_runs(database: Database, statuses: tuple[str, ...]) -> list[UUID]:
    """Runs in `statuses` that are due and that nobody holds a live lease on, in the order in which it is their turn."""
    now = utc_now()
    with database.transaction() as session:
        return claim_in_turn(session, statuses, now, now + _PAUSE, _BATCH)
