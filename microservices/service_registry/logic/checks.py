"""Checks that are asked for: answered from what is known while that is recent, otherwise by one probe for all who ask.

Asking only makes the site due; the sweep of whichever process leads probes it, so there is one mechanism and never two
probes of a site at once. Those who ask in one process at the same time are one to the database, too.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Literal, TypeVar
from uuid import UUID

import anyio.to_thread
from sqlalchemy.orm import Session

from microservices.contracts.curation import ApiConfig
from microservices.kernel.db import Database
from microservices.service_registry.errors import CheckUnfinishedError, ServiceInactiveError, ServiceNotFoundError
from microservices.service_registry.logic.bells import Bell, wait_for_ring
from microservices.service_registry.logic.catalogue import get_service
from microservices.service_registry.models import ImputationService
from microservices.service_registry.queries.catalogue import find_service
from microservices.service_registry.queries.channels import SITE_DUE, ring
from microservices.service_registry.queries.probes import CLAIM_MARGIN_S
from microservices.service_registry.schemas import CheckedHealth

Asker = Literal["person", "system", "force"]
KNOWN_HEALTHY = timedelta(minutes=15)
KNOWN_OTHERWISE: dict[Asker, timedelta] = {"person": timedelta(minutes=1), "system": timedelta(seconds=10)}
_LOOK_AGAIN_S = 1.0

Result = TypeVar("Result")


@dataclass(frozen=True)
class RequestedCheck:
    """`seen`: the last check when this one was asked for; any later one answers it. `wait_s`: a probe's longest."""

    seen: datetime | None
    wait_s: float


class HealthChecks:
    """`checked` rings when findings have been written, by whatever process; `now` is the clock that results age by."""

    def __init__(self, database: Database, checked: Bell, now: Callable[[], datetime]) -> None:
        self._database = database
        self._checked = checked
        self._now = now
        self._under_way: dict[tuple[UUID, Asker], asyncio.Task[CheckedHealth]] = {}

    async def check(self, service_id: UUID, asker: Asker) -> CheckedHealth:
        """The health of a site, by a new probe unless what is known is recent enough for `asker` (for `force`, never).

        Raises `ServiceNotFoundError`, `ServiceInactiveError`, or `CheckUnfinishedError` when no probe ended in time.
        """
        key = (service_id, asker)
        task = self._under_way.get(key)
        if task is None:
            task = self._under_way[key] = asyncio.create_task(self._check(service_id, asker))
            task.add_done_callback(partial(self._forget, key))
        return await asyncio.shield(task)  # whoever goes away leaves it to the others

    def _forget(self, key: tuple[UUID, Asker], task: asyncio.Task[CheckedHealth]) -> None:
        del self._under_way[key]
        if not task.cancelled():
            task.exception()  # told to those who asked, if any are left

    async def _check(self, service_id: UUID, asker: Asker) -> CheckedHealth:
        request = await self._in_transaction(lambda session: self._request(session, service_id, asker))
        if request is None:
            return await self._in_transaction(lambda session: _read_health(session, service_id, cached=True))
        clock = asyncio.get_running_loop().time
        deadline = clock() + request.wait_s
        while True:
            ticket = self._checked.ticket()
            health = await self._in_transaction(lambda session: _read_health(session, service_id, cached=False))
            if health.last_health_check != request.seen:
                return health
            if clock() > deadline:
                raise CheckUnfinishedError(
                    "The check has not finished yet. Its result will appear in the site's history."
                )
            await wait_for_ring(ticket, _LOOK_AGAIN_S)

    async def _in_transaction(self, work: Callable[[Session], Result]) -> Result:
        def carry_out() -> Result:
            with self._database.transaction() as session:
                return work(session)

        return await anyio.to_thread.run_sync(carry_out)

    def _request(self, session: Session, service_id: UUID, asker: Asker) -> RequestedCheck | None:
        """Make the site due now; None when what is known will do. A probe that is on its way is everybody's."""
        site = find_service(session, service_id, lock=True)
        if site is None:
            raise ServiceNotFoundError
        if not site.is_active:
            raise ServiceInactiveError("A curator has switched this site off, so it is not checked.")
        now = self._now()
        if _is_recent(site, now, asker):
            return None
        is_under_way = site.claimed_until is not None and site.claimed_until > now
        if not is_under_way and site.next_check_at > now:
            site.next_check_at = now
            ring(session, SITE_DUE)
        config = ApiConfig.model_validate(site.api_config)
        wait_s = config.connect_timeout_s + config.request_timeout_s + CLAIM_MARGIN_S
        return RequestedCheck(site.last_health_check, wait_s)


def _is_recent(site: ImputationService, now: datetime, asker: Asker) -> bool:
    if asker == "force" or site.last_health_check is None or site.health_status == "unknown":
        return False
    known_for = KNOWN_HEALTHY if site.health_status == "healthy" else KNOWN_OTHERWISE[asker]
    return now - site.last_health_check < known_for


def _read_health(session: Session, service_id: UUID, *, cached: bool) -> CheckedHealth:
    site = get_service(session, service_id)
    facts = {name: getattr(site, name) for name in CheckedHealth.model_fields if name not in ("service_id", "cached")}
    return CheckedHealth(service_id=site.id, cached=cached, **facts)
