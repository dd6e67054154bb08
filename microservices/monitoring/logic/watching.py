"""The watch. Every second each service is asked whether it lives, and on a longer interval for all of its figures.

So a service that is killed is seen down within a second or two, also when it comes back at once; and one that came
back between two looks is known by the start of its process.
"""

import asyncio
import time
from datetime import timedelta

import aiohttp
from sqlalchemy.exc import SQLAlchemyError

from microservices.kernel.db import Database, utc_now
from microservices.kernel.errors import ServiceError
from microservices.kernel.logs import get_logger
from microservices.kernel.service_tokens import PeerClient
from microservices.monitoring.logic.figures import tell_figures
from microservices.monitoring.logic.incidents import open_ledger, record_changes
from microservices.monitoring.logic.ledger import Ledger
from microservices.monitoring.logic.probing import Finding, Prober
from microservices.monitoring.queries import delete_findings, insert_health_checks, insert_metrics
from microservices.monitoring.settings import Settings

_PRUNE_EVERY_S = 3600

log = get_logger(__name__)


class Watch:
    """`notification`: who is told the figures after each measurement."""

    def __init__(self, database: Database, settings: Settings, notification: PeerClient) -> None:
        self._database = database
        self._settings = settings
        self._notification = notification
        self._services = settings.list_services()
        self._patience = timedelta(seconds=settings.start_patience_s)
        self._ledger = Ledger({}, lenient_until=utc_now() + self._patience)
        self._writing = asyncio.Lock()
        self._measured = asyncio.Event()

    async def run(self) -> None:
        """Until it is cancelled. A database that is away costs the findings meanwhile, never the watch."""
        await asyncio.to_thread(self._open_ledger)
        timeout = aiohttp.ClientTimeout(total=self._settings.probe_timeout_s)
        # A connection of its own for every probe: one that was kept would hide that a service takes no new ones.
        async with aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(force_close=True)) as session:
            prober = Prober(session, self._notification.tokens)
            lives = (self._watch_life(prober, name, url) for name, url in self._services.items())
            await asyncio.gather(self._measure(prober), self._tell(), *lives)

    def _open_ledger(self) -> None:
        try:
            with self._database.transaction() as session:
                self._ledger = open_ledger(session, list(self._services), utc_now(), patience=self._patience)
        except SQLAlchemyError as error:
            log.warning("earlier_findings_not_read", error=str(error).split("\n")[0][:300])

    async def _watch_life(self, prober: Prober, name: str, url: str) -> None:
        while True:
            started = time.monotonic()
            finding = await self._look(prober, name, url)
            if finding is not None and finding.state != self._ledger.state_of(name):
                await self._keep([finding])
            await _wait_until(started + self._settings.life_interval_s)

    async def _look(self, prober: Prober, name: str, url: str) -> Finding | None:
        """None when there is nothing to find out: it lives, as it did."""
        checked_at = utc_now()
        if error := await prober.find_silence(url):
            return Finding(name, checked_at, "down", error=error)
        return None if self._ledger.state_of(name) == "ready" else await prober.probe(name, url)

    async def _measure(self, prober: Prober) -> None:
        prune_at = time.monotonic()
        while True:
            started = time.monotonic()
            await self._keep(await prober.probe_all(self._services))
            self._measured.set()
            if started >= prune_at:
                await asyncio.to_thread(self._forget)
                prune_at = started + _PRUNE_EVERY_S
            await _wait_until(started + self._settings.probe_interval_s)

    async def _keep(self, findings: list[Finding]) -> None:
        async with self._writing:
            try:
                await asyncio.to_thread(keep_findings, self._database, self._ledger, findings)
            except SQLAlchemyError as error:
                log.warning("findings_not_kept", error=str(error).split("\n")[0][:300])

    async def _tell(self) -> None:
        """Beside the measuring, which a notification service that hangs must not hold up."""
        while True:
            await self._measured.wait()
            self._measured.clear()
            try:
                await asyncio.to_thread(tell_figures, self._database, list(self._services), self._notification)
            except (ServiceError, SQLAlchemyError) as error:
                log.warning("figures_not_told", error=str(error).split("\n")[0][:300])

    def _forget(self) -> None:
        try:
            forget_findings(self._database, self._settings.keep_days)
        except SQLAlchemyError as error:
            log.warning("findings_not_forgotten", error=str(error).split("\n")[0][:300])


async def _wait_until(moment: float) -> None:
    await asyncio.sleep(max(0.0, moment - time.monotonic()))


def keep_findings(database: Database, ledger: Ledger, findings: list[Finding]) -> None:
    """With what they change. The ledger follows only once that is committed, so nothing is lost without a database."""
    columns = ("service", "checked_at", "state", "latency_ms", "version", "error", "dependencies")
    checks = [{name: getattr(finding, name) for name in columns} for finding in findings]
    metrics = [
        {"service": finding.service, "measured_at": finding.checked_at, **vars(measurement)}
        for finding in findings
        for measurement in finding.measurements
    ]
    with database.transaction() as session:
        insert_health_checks(session, checks)
        insert_metrics(session, metrics)
        record_changes(session, ledger.list_changes(findings))
    ledger.note(findings)


def forget_findings(database: Database, keep_days: int) -> None:
    with database.transaction() as session:
        delete_findings(session, utc_now() - timedelta(days=keep_days))
