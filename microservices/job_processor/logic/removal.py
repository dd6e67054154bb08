"""What lies at sites of jobs that their owners have deleted is removed there too, where a site does that.

Only then: what a site has done is not asked to go while its results, or the wish for them, are here.
"""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from microservices.backends.base import CredentialRefusedError, SiteError
from microservices.contracts.registry import SiteRecord
from microservices.job_processor.errors import SiteNotFoundError
from microservices.job_processor.logic.engine import Engine
from microservices.job_processor.logic.sites import Account, CredentialMissingError
from microservices.job_processor.models import Job, Run, SiteRemoval
from microservices.kernel.db import utc_now
from microservices.kernel.errors import ServiceError
from microservices.kernel.logs import get_logger

_BATCH = 200
_PATIENCE = timedelta(days=7)

log = get_logger(__name__)


def ask_for_removal(session: Session, job: Job) -> None:
    """Remember what a job that is about to be deleted has left at sites: that of earlier attempts, and of sites from
    which its runs were moved, too.
    """
    for run in job.runs:
        for (service_id, external_job_id), source in _list_leftovers(run).items():
            session.add(
                SiteRemoval(
                    id=run.id,
                    service_id=service_id,
                    external_job_id=external_job_id,
                    organization_id=run.organization_id,
                    owner_id=run.owner_id,
                    credential_source=source,
                    asked_at=utc_now(),
                )
            )


def _list_leftovers(run: Run) -> dict[tuple[UUID, str], str]:
    """By site and its id of the job: with whose account it was sent."""
    left = {}
    for attempt in run.attempts:
        # Old attempts of runs that were moved do not say where they were made; the present job's is where the run is.
        is_present = attempt.external_job_id == run.external_job_id
        service_id = attempt.service_id or (run.service_id if is_present else None)
        if attempt.outcome == "accepted" and service_id is not None and attempt.external_job_id is not None:
            left[service_id, attempt.external_job_id] = attempt.credential_source
    return left


def remove_leftovers(engine: Engine) -> None:
    """Ask the sites; those that cannot be asked now are asked again the next time, for a week."""
    with engine.database.transaction() as session:
        # Any of them, so that those of a site that is away for long are in nobody's way.
        removals = list(session.scalars(select(SiteRemoval).order_by(func.random()).limit(_BATCH)))
    away: set[UUID] = set()
    for removal in removals:
        if removal.service_id not in away:
            _remove(engine, removal, away)


def _remove(engine: Engine, removal: SiteRemoval, away: set[UUID]) -> None:
    is_settled = utc_now() - removal.asked_at > _PATIENCE
    try:
        record = engine.sites.get_record(removal.service_id)
        if _may_delete(record):
            account = engine.sites.get_account(removal, record, removal.credential_source)
            engine.loop.run(_delete_at_site(engine, record, account, removal.external_job_id))
        is_settled = True
    except SiteNotFoundError:
        is_settled = True
    except (ServiceError, CredentialMissingError, CredentialRefusedError) as error:
        log.info("site_job_not_removed", run_id=str(removal.id), error=repr(error)[:200])
    except SiteError as error:
        log.info("site_job_not_removed", run_id=str(removal.id), error=error.message)
        is_settled = is_settled or error.permanent
        away |= set() if error.permanent else {removal.service_id}
    except Exception:  # a fault that nobody has thought of keeps no other from being removed
        log.exception("site_job_not_removed", run_id=str(removal.id))
    if is_settled:
        with engine.database.transaction() as session:
            session.delete(removal)


async def _delete_at_site(engine: Engine, record: SiteRecord, account: Account, external_job_id: str) -> None:
    backend = await engine.sites.open(record, account)
    await backend.delete(external_job_id)


def _may_delete(record: SiteRecord) -> bool:
    return record.capabilities is not None and record.capabilities.deletes is True
