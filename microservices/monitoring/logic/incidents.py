"""What becomes of a change: an incident that begins or ends, and an event for the operators."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy.orm import Session

from microservices.contracts.monitoring import PLATFORM_SERVICE_CHANGED, PlatformServiceChanged
from microservices.kernel.outbox import record_event
from microservices.monitoring import queries
from microservices.monitoring.logic.ledger import Change, Ledger, Standing, read_start
from microservices.monitoring.logic.measurements import STARTED_AT
from microservices.monitoring.models import Incident
from microservices.monitoring.schemas import IncidentView

# A watch that was away for longer knows nothing of the time between.
_REMEMBERED = timedelta(seconds=30)
_SHOWN, _SHOWN_AT_MOST = timedelta(hours=24), 20
_UNSEEN_RESTART = "A new process answers; it was there before anybody could see the old one gone."


def open_ledger(session: Session, services: Sequence[str], now: datetime, *, patience: timedelta) -> Ledger:
    """From what an earlier watch has left, when that is fresh; else its open incidents ended when it last looked."""
    queries.close_left_incidents(session, now - _REMEMBERED)
    known = {}
    for service in services:
        check = queries.find_latest_check(session, service)
        if check is not None and check.checked_at > now - _REMEMBERED:
            started_at = queries.find_latest_metric(session, service, STARTED_AT, now - _REMEMBERED)
            known[service] = Standing(check.state, check.checked_at, started_at or 0)
    return Ledger(known, lenient_until=now + patience)


def record_changes(session: Session, changes: Sequence[Change]) -> None:
    for change in changes:
        had_incident = _record_incident(session, change)
        if had_incident or change.previous != "unknown":
            _record_event(session, change)


def _record_incident(session: Session, change: Change) -> bool:
    """False for a service that was simply found as it should be."""
    finding = change.finding
    if change.previous == finding.state:
        started_at = datetime.fromtimestamp(read_start(finding), UTC)
        if queries.has_incident_since(session, finding.service, started_at):
            return False
        _add(session, change, "restarted", _UNSEEN_RESTART, began_at=started_at, ended_at=started_at)
        return True
    ended = queries.close_incidents(session, finding.service, finding.checked_at)
    if finding.state != "ready":
        _add(session, change, finding.state, finding.error or "", began_at=finding.checked_at)
    return ended or finding.state != "ready"


def _add(
    session: Session, change: Change, kind: str, message: str, *, began_at: datetime, ended_at: datetime | None = None
) -> None:
    session.add(
        Incident(service=change.finding.service, kind=kind, message=message, began_at=began_at, ended_at=ended_at)
    )


def _record_event(session: Session, change: Change) -> None:
    finding = change.finding
    event = PlatformServiceChanged(
        service=finding.service,
        state=finding.state,
        previous=change.previous,
        restarted=change.restarted,
        message=finding.error or "",
        checked_at=finding.checked_at,
    )
    subject = f"platform/{finding.service}"
    data = event.model_dump()
    record_event(session, type=PLATFORM_SERVICE_CHANGED, subject=subject, data=data, subscribers=["notification"])


def list_incidents(session: Session, now: datetime) -> list[IncidentView]:
    """Of the last 24 hours, the newest first."""
    found = queries.list_incidents(session, now - _SHOWN, _SHOWN_AT_MOST)
    return [IncidentView.model_validate(incident) for incident in found]
