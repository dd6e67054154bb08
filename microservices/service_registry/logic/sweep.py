"""The health sweep: every active site on its own interval, all of them at once, on one event loop of one process.

A probe that hangs costs one slot and nobody's time. Nothing that goes wrong in the database or in a probe ends it.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from microservices.kernel.db import Database
from microservices.kernel.garbage import expect_requests
from microservices.kernel.logs import get_logger
from microservices.service_registry.logic.assessment import HealthPolicy
from microservices.service_registry.logic.bells import Bell, wait_for_ring
from microservices.service_registry.logic.findings import Finding, record_findings
from microservices.service_registry.logic.history import keep_history
from microservices.service_registry.logic.prober import Prober
from microservices.service_registry.queries.probes import (
    ClaimedSite,
    claim_due_sites,
    find_next_due,
    release_all_claims,
    release_claims,
)

_TICK_S = 5.0
_PAUSE_S = 1.0
_SHORT_PAUSE_S = 0.05
_GATHER_S = 0.02
_GATHER_MANY_S = 0.25
_MANY = 100
_BREATH = 20
_BATCH = 1000
_HOUSEKEEPING_S = 3600
_DATABASE_AWAY = (OperationalError, InterfaceError, PoolTimeoutError)

log = get_logger(__name__)


class HealthSweep:
    """`due` rings when a site has to be probed earlier than planned; `now` is the clock that everything goes by."""

    def __init__(
        self,
        database: Database,
        due: Bell,
        policy: HealthPolicy,
        now: Callable[[], datetime],
        *,
        concurrency: int,
        keep_checks: timedelta,
    ) -> None:
        self._database = database
        self._due = due
        self._policy = policy
        self._now = now
        self._concurrency = concurrency
        self._keep_checks = keep_checks
        self._prober = Prober()
        self._probes: dict[asyncio.Task[None], ClaimedSite] = {}
        self._findings: asyncio.Queue[Finding] = asyncio.Queue()

    async def run(self) -> None:
        """For ever, until cancelled; then claims are given back, so that the next probes at once."""
        try:
            await asyncio.to_thread(self._take_over)
            await asyncio.gather(self._start_probes(), self._write_findings(), self._keep_house())
        finally:
            await self._stop()

    def _take_over(self) -> None:
        with self._database.transaction() as session:
            release_all_claims(session)

    async def _start_probes(self) -> None:
        while True:
            ticket = self._due.ticket()
            await wait_for_ring(ticket, await self._start_due())

    async def _start_due(self) -> float:
        """Start probing what is due; the seconds until the next look."""
        free = self._concurrency - len(self._probes)
        if free <= 0:
            return _SHORT_PAUSE_S
        try:
            sites, pause_s = await asyncio.to_thread(self._claim, free)
        except Exception as error:
            log.warning("sweep_waits_for_database", error=repr(error)[:300])
            return _PAUSE_S
        expect_requests(len(self._probes) + len(sites))
        for number, site in enumerate(sites, start=1):
            task = asyncio.create_task(self._probe(site))
            self._probes[task] = site
            task.add_done_callback(self._probes.pop)
            if number % _BREATH == 0:  # the first are asked before the last are begun
                await asyncio.sleep(0)
        return pause_s

    def _claim(self, free: int) -> tuple[list[ClaimedSite], float]:
        with self._database.transaction() as session:
            sites = claim_due_sites(session, self._now(), min(free, _BATCH))
        with self._database.transaction() as session:
            next_due = find_next_due(session)
        wait_s = (next_due - self._now()).total_seconds() if next_due else _TICK_S
        return sites, min(max(wait_s, _SHORT_PAUSE_S), _TICK_S)

    async def _probe(self, site: ClaimedSite) -> None:
        started_at = self._now()
        probe = await self._prober.probe(site)
        self._findings.put_nowait(Finding(site.claim_id, started_at, self._now(), probe))

    async def _write_findings(self) -> None:
        while True:
            batch = [await self._findings.get()]
            # While very many are under way, few large transactions leave the loop more time for the probes themselves.
            await asyncio.sleep(_GATHER_MANY_S if len(self._probes) > _MANY else _GATHER_S)
            while len(batch) < _BATCH and not self._findings.empty():
                batch.append(self._findings.get_nowait())
            await self._write_batch(batch)

    async def _write_batch(self, batch: list[Finding]) -> None:
        """Kept while the database is away; given up for any other reason: the claims lapse and others try again."""
        while True:
            try:
                await asyncio.to_thread(self._record, batch)
                return self._due.ring()  # the next look was planned before these sites had their next check
            except _DATABASE_AWAY as error:
                log.warning("findings_wait_for_database", findings=len(batch), error=repr(error)[:300])
                await asyncio.sleep(_PAUSE_S)
            except Exception:
                log.exception("findings_lost", findings=len(batch))
                return None

    def _record(self, batch: list[Finding]) -> None:
        with self._database.transaction() as session:
            record_findings(session, batch, self._policy)

    async def _keep_house(self) -> None:
        while True:
            try:
                await self._prober.close_idle()
                await asyncio.to_thread(keep_history, self._database, self._now(), self._keep_checks)
            except Exception as error:
                log.warning("history_not_kept", error=repr(error)[:300])
            await asyncio.sleep(_HOUSEKEEPING_S)

    async def _stop(self) -> None:
        interrupted = dict(self._probes)
        for task in interrupted:
            task.cancel()
        await asyncio.gather(*interrupted, return_exceptions=True)
        expect_requests(0)
        await self._prober.close()
        claims = [site.claim_id for site in interrupted.values()]
        with suppress(Exception):
            await asyncio.to_thread(self._release, claims)

    def _release(self, claims: list[UUID]) -> None:
        with self._database.transaction() as session:
            release_claims(session, claims)


@asynccontextmanager
async def running(*works: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run `works` beside the block, and cancel them at its end."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
