"""Watch the runs that are at sites: one sweep asks all that are due, all at once, on the worker's event loop.

Where one account has many of them, its list tells of most in a few answers; the others are asked for one by one.
"""

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import replace
from datetime import timedelta
from itertools import groupby
from uuid import UUID

from microservices.backends.base import Backend, CredentialRefusedError, SiteError, SiteJob, SiteMessage
from microservices.contracts.curation import ApiConfig
from microservices.contracts.registry import SiteRecord
from microservices.job_processor.errors import SiteNotFoundError
from microservices.job_processor.logic.engine import Engine
from microservices.job_processor.logic.findings import Found, tell_state, write_findings
from microservices.job_processor.logic.holding import LOOKS_BEFORE_LOST
from microservices.job_processor.logic.restarting import restart_dead_job
from microservices.job_processor.logic.sites import Account, CredentialMissingError
from microservices.job_processor.queries import Watched, claim_watched
from microservices.kernel.db import utc_now
from microservices.kernel.errors import ServiceError
from microservices.kernel.logs import get_logger

_BATCH = 10_000
_CLAIM = timedelta(seconds=60)
_LOG_TAIL = 600
# From so many runs of an account on its list is worth reading, and no further than to so many jobs.
_WORTH_LISTING = 8
_FURTHEST = 4
_WRITTEN_AT_ONCE = 500

log = get_logger(__name__)

Access = tuple[SiteRecord, Account]


def poll_due_runs(engine: Engine, on_ready: Callable[[UUID], None]) -> Future[None]:
    """Begin to ask the sites about every due run; `on_ready` is told each whose results are ready to be collected.

    Nobody has to wait for the end: no thread of the worker, and no run for another one's slow site.
    """
    now = utc_now()
    with engine.database.transaction() as session:
        runs = claim_watched(session, now, now + _CLAIM, _BATCH)
    return engine.loop.start(_watch_all(engine, runs, on_ready))


async def _watch_all(engine: Engine, claimed: list[Watched], on_ready: Callable[[UUID], None]) -> None:
    runs = [run for run in claimed if run.id not in engine.watched]
    engine.watched.update(run.id for run in runs)
    found: asyncio.Queue[Found] = asyncio.Queue()
    writer = asyncio.create_task(_write_down(engine, found, on_ready))
    try:
        await asyncio.gather(*(_watch_account(engine, group, found) for group in _group_by_account(runs)))
        await found.join()
    finally:
        writer.cancel()
        engine.watched.difference_update(run.id for run in runs)


def _group_by_account(runs: Iterable[Watched]) -> list[list[Watched]]:
    """A person's own account is theirs alone; the others are shared by all who use them."""

    def name_account(run: Watched) -> tuple[str, str, str]:
        return str(run.service_id), run.credential_source, str(run.owner_id) if run.credential_source == "own" else ""

    return [list(group) for _account, group in groupby(sorted(runs, key=name_account), name_account)]


async def _write_down(engine: Engine, found: asyncio.Queue[Found], on_ready: Callable[[UUID], None]) -> None:
    """What comes while others are being written is written together."""
    while True:
        batch = [await found.get()]
        while not found.empty() and len(batch) < _WRITTEN_AT_ONCE:
            batch.append(found.get_nowait())
        try:
            await asyncio.to_thread(write_findings, engine, batch, on_ready)
        except Exception:
            log.exception("findings_not_written", runs=len(batch))
        for one in batch:
            engine.watched.discard(one.run.id)
            found.task_done()


async def _watch_account(engine: Engine, runs: list[Watched], found: asyncio.Queue[Found]) -> None:
    """A fault that nobody has thought of must not stop the watching of the others: these are looked at again soon."""
    try:
        await _look_at_account(engine, runs, found)
    except Exception:
        log.exception("account_not_watched", service_id=str(runs[0].service_id), runs=len(runs))
        engine.watched.difference_update(run.id for run in runs)


async def _look_at_account(engine: Engine, runs: list[Watched], found: asyncio.Queue[Found]) -> None:
    first = runs[0]
    access: Access | str | None = engine.sites.recall(first, first.credential_source)
    if access is None:
        access = await asyncio.to_thread(_find_access, engine, first)
    if isinstance(access, str):
        for run in runs:
            found.put_nowait(Found(run, ApiConfig(), access))
        return
    record, account = access
    config = record.site.api_config
    try:
        backend = await engine.sites.open(record, account)
    except SiteError as error:
        for run in runs:
            found.put_nowait(Found(run, config, error))
        return
    listed = await _read_list(engine, backend, runs) if len(runs) >= _WORTH_LISTING else {}

    async def watch(run: Watched) -> None:
        try:
            finding = listed.get(run.id) or await _ask(engine, run, backend, account)
            found.put_nowait(Found(run, config, finding))
        except Exception:
            log.exception("poll_failed", run_id=str(run.id))
            engine.watched.discard(run.id)

    await asyncio.gather(*(watch(run) for run in runs))


def _find_access(engine: Engine, run: Watched) -> Access | str:
    """In words why not, when one of our services is away, or the token is gone: the site goes on, so the run does."""
    try:
        record = engine.sites.get_record(run.service_id)
        return record, engine.sites.get_account(run, record, run.credential_source)
    except SiteNotFoundError:
        return "The run is at the site, but the site is no longer in the catalogue. Ask a curator."
    except ServiceError as error:
        return _wait_for(error)
    except CredentialMissingError:
        return "The run is at the site, but the token that it was sent with is gone. Add it again."


async def _read_list(engine: Engine, backend: Backend, runs: list[Watched]) -> dict[UUID, SiteJob]:
    """By run: what the account's list says of those that go on, as far as it says all there is to know.

    Nothing is concluded from what it does not show: that is asked for by itself.
    """
    wanted = {run.external_job_id: run for run in runs if run.cancel_requested_at is None}
    listed: dict[UUID, SiteJob] = {}
    furthest, seen, met = _FURTHEST * len(wanted), 0, 0
    try:
        async with engine.lines_to_sites[runs[0].service_id]:
            async for job in backend.list_states():
                seen += 1
                run = wanted.get(job.external_job_id)
                met += run is not None
                if run is not None and _tells_all(job, run):
                    listed[run.id] = job
                if met == len(wanted) or seen >= furthest:
                    break
    except SiteError as error:
        log.info("list_not_read", service_id=str(runs[0].service_id), error=error.message)
    except Exception:  # a fault of the adapter: each run is asked for by itself
        log.exception("list_not_read", service_id=str(runs[0].service_id))
    return listed


def _tells_all(job: SiteJob, run: Watched) -> bool:
    """Ends are looked at closely, and some sites' lists leave out what a job has said."""
    if job.state == "waiting":
        return True
    return job.state == "running" and (bool(job.messages) or tell_state(job) == run.message)


async def _ask(engine: Engine, run: Watched, backend: Backend, account: Account) -> SiteJob | SiteError | str:
    """What the site says of the run; one that is to be cancelled is told so each time, until it has ended."""
    try:
        async with engine.lines_to_sites[run.service_id]:
            ask = backend.cancel if run.cancel_requested_at is not None else backend.status
            job = await ask(run.external_job_id)
            if job.state == "dead" and run.cancel_requested_at is None:
                job = await restart_dead_job(engine, run, backend, job)
            if job.state == "failed" and not any(message.level == "error" for message in job.messages):
                return await _add_reason(run, backend, job)
            return job
    except CredentialRefusedError as error:
        engine.sites.forget_account(run, account.source)
        return error
    except SiteError as error:
        return error
    except ServiceError as error:
        return _wait_for(error)


def _wait_for(error: ServiceError) -> str:
    return f"Waiting for a part of the platform: {error.detail}"


async def _add_reason(run: Watched, backend: Backend, job: SiteJob) -> SiteJob:
    """The job with the end of the site's log in place of the messages that it lacks.

    Raises `SiteError`, but not for ever: a job that has failed ends also where the site gives no log of it.
    """
    try:
        site_log = await backend.failure_log(run.external_job_id)
    except SiteError:
        if run.setbacks + 1 < LOOKS_BEFORE_LOST:
            raise
        return job
    tail = site_log.strip()[-_LOG_TAIL:]
    return replace(job, messages=(*job.messages, SiteMessage("Log", "error", tail))) if tail else job
