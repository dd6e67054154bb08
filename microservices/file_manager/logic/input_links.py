"""Links with which a site fetches a run's inputs by itself: good for days, and revoked when the run ends."""

from datetime import timedelta
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from microservices.contracts import file_manager as contract
from microservices.file_manager.errors import LinkRevokedError, RunEndedError
from microservices.file_manager.logic.engine import Engine
from microservices.file_manager.logic.readiness import find_ready
from microservices.file_manager.models import EndedRun, InputLink
from microservices.kernel.db import Database, utc_now

_LIFETIME = timedelta(days=7)


def create_input_links(engine: Engine, wish: contract.InputLinkRequest) -> contract.InputLinks:
    """Of uploads that passed their check. Raises what `find_ready` raises, or `RunEndedError`."""
    with engine.database.transaction() as session:
        _lock_run(session, wish.run_id)
        ended = session.get(EndedRun, wish.run_id)
        if ended is not None and wish.attempt <= ended.attempt:
            raise RunEndedError(f"Attempt {wish.attempt} of the run has ended: nobody is to fetch its inputs.")
        return contract.InputLinks(items=[_create_link(engine, session, wish, file_id) for file_id in wish.file_ids])


def _create_link(
    engine: Engine, session: Session, wish: contract.InputLinkRequest, file_id: UUID
) -> contract.InputLink:
    file = find_ready(session, file_id)
    link_id = uuid4()
    signed = engine.links.sign(file.id, int(_LIFETIME.total_seconds()), link_id)
    session.add(
        InputLink(
            id=link_id,
            organization_id=file.organization_id,
            owner_id=file.owner_id,
            file_id=file.id,
            run_id=wish.run_id,
            attempt=wish.attempt,
            expires_at=signed.expires_at,
        )
    )
    return contract.InputLink(file_id=file.id, url=signed.url, expires_at=signed.expires_at)


def check_input_link(database: Database, link_id: UUID) -> None:
    """Raises `LinkRevokedError` for a link whose run has ended, or whose file is gone."""
    good = sa.select(InputLink.id).where(InputLink.id == link_id, InputLink.revoked_at.is_(None))
    with database.transaction() as session:
        if session.scalar(good) is None:
            raise LinkRevokedError("The run that this link was made for has ended, or its file was deleted.")


def revoke_input_links(session: Session, run_id: UUID, attempt: int) -> None:
    """Of the run's attempts up to `attempt`: a retry may have begun before this is told."""
    _lock_run(session, run_id)
    ended = insert(EndedRun).values(run_id=run_id, attempt=attempt)
    latest = {"attempt": sa.func.greatest(EndedRun.attempt, attempt), "ended_at": utc_now()}
    session.execute(ended.on_conflict_do_update(index_elements=[EndedRun.run_id], set_=latest))
    links = InputLink.run_id == run_id, InputLink.attempt <= attempt, InputLink.revoked_at.is_(None)
    session.execute(sa.update(InputLink).where(*links).values(revoked_at=utc_now()))


def _lock_run(session: Session, run_id: UUID) -> None:
    """Making links and ending them wait for one another, so that none is made behind the end's back."""
    key = sa.func.hashtextextended(f"input_links/{run_id}", sa.text("0"))
    session.execute(sa.select(sa.func.pg_advisory_xact_lock(key)))


def forget_expired_links(database: Database) -> None:
    """And the ends of runs whose links would have expired by now."""
    now = utc_now()
    with database.transaction() as session:
        session.execute(sa.delete(InputLink).where(InputLink.expires_at < now))
        session.execute(sa.delete(EndedRun).where(EndedRun.ended_at < now - _LIFETIME))
