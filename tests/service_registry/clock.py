"""A clock that a test moves, and what has to happen for a registry to notice."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from microservices.kernel.db import utc_now
from tests.service_registry.registry import Registry
from tests.waiting import wait_until


@dataclass
class Clock:
    at: datetime = field(default_factory=utc_now)

    def __call__(self) -> datetime:
        return self.at

    def move(self, registry: Registry, span: timedelta, *probed: str) -> None:
        """Let `span` pass; returns when the sites of `probed` have been probed at the new time."""
        self.at += span
        registry.execute("NOTIFY site_due")
        for site_id in probed:
            wait_until(lambda site_id=site_id: self._is_checked(registry, site_id), f"{site_id} is probed at {self.at}")

    def _is_checked(self, registry: Registry, site_id: str) -> bool:
        checked = registry.read(f"/services/{site_id}")["last_health_check"]
        return checked is not None and datetime.fromisoformat(checked) == self.at
