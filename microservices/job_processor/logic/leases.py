"""Who works on a run: a lease of 60 s that its holder renews, and an epoch that fences off a holder that lost it."""

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import UUID

from sqlalchemy import or_, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from microservices.job_processor.models import Run
from microservices.job_processor.queries import lock_run
from microservices.kernel.db import Database, utc_now
from microservices.kernel.logs import get_logger

LEASE = timedelta(seconds=60)
_RENEW_EVERY_S = 20

log = get_logger(__name__)


class LeaseLostError(Exception):
    """Somebody else took the run over while we were away: what we found out must not be written."""


def take_lease(database: Database, run_id: UUID, owner: str, statuses: Iterable[str]) -> int | None:
    """The epoch of our lease; None when the run is held by another or in another status."""
    now = utc_now()
    with database.transaction() as session:
        return session.scalar(
            update(Run)
            .where(
                Run.id == run_id,
                Run.status.in_(tuple(statuses)),
                or_(Run.lease_until.is_(None), Run.lease_until < now),
            )
            .values(lease_owner=owner, lease_until=now + LEASE, lease_epoch=Run.lease_epoch + 1, woken_at=None)
            .returning(Run.lease_epoch)
        )


@contextmanager
def holding_lease(database: Database, run_id: UUID, epoch: int) -> Iterator[None]:
    """Renew the lease from a thread of its own while the work goes on, and give it up afterwards."""
    done = threading.Event()

    def renew() -> None:
        while not done.wait(_RENEW_EVERY_S):
            try:
                _set_lease(database, run_id, epoch, hold=True)
            except SQLAlchemyError as error:
                log.warning("lease_not_renewed", run_id=str(run_id), error=repr(error)[:200])

    keeper = threading.Thread(target=renew, name="lease-keeper", daemon=True)
    keeper.start()
    try:
        yield
    finally:
        done.set()
        keeper.join()
        _set_lease(database, run_id, epoch, hold=False)


def _set_lease(database: Database, run_id: UUID, epoch: int, *, hold: bool) -> None:
    until = utc_now() + LEASE if hold else None
    with database.transaction() as session:
        session.execute(update(Run).where(Run.id == run_id, Run.lease_epoch == epoch).values(lease_until=until))


@contextmanager
def own_run(database: Database, run_id: UUID, epoch: int) -> Iterator[tuple[Session, Run]]:
    """A transaction with the run locked, if our lease is still the newest. Raises `LeaseLostError`."""
    with database.transaction() as session:
        run = lock_run(session, run_id)
        if run is None or run.lease_epoch != epoch:
            raise LeaseLostError(str(run_id))
        yield session, run
