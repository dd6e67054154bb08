"""What is known of each service, and what a new finding changes about it."""

import threading
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

from microservices.contracts.monitoring import ServiceState
from microservices.monitoring.logic.measurements import STARTED_AT
from microservices.monitoring.logic.probing import Finding

# The start of a process is read in ticks of the kernel's clock; another process is further away than these.
_SAME_START_S = 0.5
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Standing:
    """The latest of a service. `started_at`: when its process began, by its own word (unix s); 0: not told yet."""

    state: ServiceState | Literal["unknown"] = "unknown"
    checked_at: datetime = _NEVER
    started_at: float = 0


@dataclass(frozen=True)
class Change:
    """`restarted`: a new process answers; where that was never seen away, nothing else has changed."""

    finding: Finding
    previous: ServiceState | Literal["unknown"]
    restarted: bool


class Ledger:
    """While the platform starts (`lenient_until`), a service that was never seen ready may take its time."""

    def __init__(self, known: dict[str, Standing], *, lenient_until: datetime) -> None:
        self._known = known
        self._lenient_until = lenient_until
        self._lock = threading.Lock()

    def state_of(self, service: str) -> ServiceState | Literal["unknown"]:
        return self._find(service).state

    def list_changes(self, findings: Iterable[Finding]) -> list[Change]:
        return [change for finding in findings if (change := self._compare(finding))]

    def note(self, findings: Iterable[Finding]) -> None:
        """Take them as known; those that were overtaken by newer ones change nothing."""
        with self._lock:
            for finding in findings:
                known = self._find(finding.service)
                if finding.checked_at > known.checked_at and not self._is_starting(finding):
                    fresh = replace(known, state=finding.state, checked_at=finding.checked_at)
                    self._known[finding.service] = replace(fresh, started_at=read_start(finding) or known.started_at)

    def _compare(self, finding: Finding) -> Change | None:
        known = self._find(finding.service)
        if finding.checked_at <= known.checked_at or self._is_starting(finding):
            return None
        started_at = read_start(finding)
        restarted = 0 < known.started_at < started_at - _SAME_START_S
        if finding.state == known.state and not restarted:
            return None
        return Change(finding, known.state, restarted)

    def _is_starting(self, finding: Finding) -> bool:
        never_seen = self._find(finding.service).state == "unknown"
        return never_seen and finding.state != "ready" and finding.checked_at < self._lenient_until

    def _find(self, service: str) -> Standing:
        return self._known.get(service) or Standing()


def read_start(finding: Finding) -> float:
    """When the process that answered began (unix s); 0 when it did not say."""
    return next((found.value for found in finding.measurements if found.name == STARTED_AT), 0.0)
