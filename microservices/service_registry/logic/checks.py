"""Checks that people ask for: answered from what is known while that is recent, otherwise by one probe for all who ask.

Asking only makes the site due; the sweep probes it, so there is one mechanism and never two probes of a site at once.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

import anyio.to_thread
from sqlalchemy.orm import Session

from microservices.contracts.curation import ApiConfig
from microservices.kernel.db import Database, utc_now
from microservices.service_registry.errors import CheckUnfinishedError, ServiceInactiveError, ServiceNotFoundError
from microservices.service_registry.logic.bells import Bell, wait_for_ring
from microservices.service_registry.logic.catalogue import get_service
from microservices.service_registry.models import ImputationService
from microservices.service_registry.queries.catalogue import find_service
from microservices.service_registry.queries.probes import CLAIM_MARGIN_S, SITE_DUE, ring
from microservices.service_registry.schemas import CheckedHealth

KNOWN_HEALTHY = timedelta(minutes=15)
KNOWN_OTHERWISE = timedelta(minutes=1)
_LOOK_AGAIN_S = 1.0

Result = TypeVar("Result")


@dataclass(frozen=True)
class RequestedCheck:
    """`seen`: the last check when this one was asked for; any later one answers it. `wait_s`: a probe's longest."""

    seen: datetime | None
    wait_s: float


async def check_health(database: Database, checked: Bell, service_id: UUID, *, force: bool) -> CheckedHealth:
    """The health of a site, by a new probe unless what is known is recent (and `force` is not set).

    Raises `ServiceNotFoundError`, `ServiceInactiveError`, or `CheckUnfinishedError` when no probe ended in time.
    """
    request = await _in_transaction(database, lambda session: request_check(session, service_id, force=force))
    if request is None:
        return await _in_transaction(database, lambda session: _read_health(session, service_id, cached=True))
    clock = asyncio.get_running_loop().time
    deadline = clock() + request.wait_s
    while True:
        ticket = checked.ticket()
        health = await _in_transaction(database, lambda session: _read_health(session, service_id, cached=False))
        if health.last_health_check != request.seen:
            return health
        if clock() > deadline:
            raise CheckUnfinishedError("The check has not finished yet. Its result will appear in the site's history.")
        await wait_for_ring(ticket, _LOOK_AGAIN_S)


async def _in_transaction(database: Database, work: Callable[[Session], Result]) -> Result:
    def carry_out() -> Result:
        with database.transaction() as session:
            return work(session)

    return await anyio.to_thread.run_sync(carry_out)


def request_check(session: Session, service_id: UUID, *, force: bool) -> RequestedCheck | None:
    """Make the site due now; None when what is known will do. A probe that is on its way is everybody's."""
    site = find_service(session, service_id, lock=True)
    if site is None:
        raise ServiceNotFoundError
    if not site.is_active:
        raise ServiceInactiveError("A curator has switched this site off, so it is not checked.")
    now = utc_now()
    if not force and _is_recent(site, now):
        return None
    is_under_way = site.claimed_until is not None and site.claimed_until > now
    if not is_under_way and site.next_check_at > now:
        site.next_check_at = now
        ring(session, SITE_DUE)
    config = ApiConfig.model_validate(site.api_config)
    wait_s = config.connect_timeout_s + config.request_timeout_s + CLAIM_MARGIN_S
    return RequestedCheck(site.last_health_check, wait_s)


def _is_recent(site: ImputationService, now: datetime) -> bool:
    if site.last_health_check is None or site.health_status == "unknown":
        return False
    known_for = KNOWN_HEALTHY if site.health_status == "healthy" else KNOWN_OTHERWISE
    return now - site.last_health_check < known_for


def _read_health(session: Session, service_id: UUID, *, cached: bool) -> CheckedHealth:
    site = get_service(session, service_id)
    return CheckedHealth(
        service_id=site.id,
        cached=cached,
        health_status=site.health_status,
        is_available=site.is_available,
        response_time_ms=site.response_time_ms,
        error_message=site.error_message,
        last_health_check=site.last_health_check,
    )
