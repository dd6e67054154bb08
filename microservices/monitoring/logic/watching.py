"""The watch: a round of probes on its interval, kept in bulk, and forgotten after some days."""

import asyncio
import time
from datetime import timedelta

import aiohttp
from sqlalchemy.exc import SQLAlchemyError

from microservices.kernel.db import Database, utc_now
from microservices.kernel.logs import get_logger
from microservices.monitoring.logic.probing import Finding, probe_services
from microservices.monitoring.queries import delete_findings, insert_health_checks, insert_metrics
from microservices.monitoring.settings import Settings

_PRUNE_EVERY_S = 3600

log = get_logger(__name__)


async def watch_services(database: Database, settings: Settings) -> None:
    """Runs until it is cancelled. A database that is away costs the rounds meanwhile, never the watch."""
    timeout = aiohttp.ClientTimeout(total=settings.probe_timeout_s)
    prune_at = time.monotonic()
    # A connection of its own for every probe: one that was kept would hide that a service takes no new ones.
    async with aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(force_close=True)) as session:
        while True:
            started = time.monotonic()
            findings = await probe_services(session, settings.list_services())
            try:
                await asyncio.to_thread(keep_findings, database, findings)
                if started >= prune_at:
                    await asyncio.to_thread(forget_findings, database, settings.keep_days)
                    prune_at = started + _PRUNE_EVERY_S
            except SQLAlchemyError as error:
                log.warning("findings_not_kept", error=str(error).split("\n")[0][:300])
            await asyncio.sleep(max(0.0, settings.probe_interval_s - (time.monotonic() - started)))


def keep_findings(database: Database, findings: list[Finding]) -> None:
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


def forget_findings(database: Database, keep_days: int) -> None:
    with database.transaction() as session:
        delete_findings(session, utc_now() - timedelta(days=keep_days))
