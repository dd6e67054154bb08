"""Which sites are due, who probes them, and what was found.

Claims are leases: one who has lost the lead without knowing it cannot write what it finds once the next has taken
over, nor take a site from it (SKIP LOCKED); and a claim that nobody answers for lapses by itself.
"""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from pydantic_core import to_json
from sqlalchemy.orm import Session

from microservices.contracts.curation import ApiType
from microservices.contracts.registry import HealthStatus
from microservices.service_registry.models import ImputationService

CLAIM_MARGIN_S = 10

_site = ImputationService
_EPOCH = sa.func.to_timestamp(0)

_WRITE_FINDINGS = sa.text("""
    UPDATE imputation_services AS site
    SET health_status = found.health_status, is_available = found.is_available,
        response_time_ms = found.response_time_ms, error_message = found.error_message,
        last_health_check = found.last_health_check, offline_since = found.offline_since,
        auto_deactivated_at = found.auto_deactivated_at, answering_since = found.answering_since,
        version = coalesce(found.version, site.version), api_version = coalesce(found.api_version, site.api_version),
        capabilities = coalesce(found.capabilities, site.capabilities), next_check_at = found.next_check_at,
        claim_id = NULL, claimed_until = NULL
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS found (
        id uuid, health_status text, is_available boolean, response_time_ms double precision, error_message text,
        last_health_check timestamptz, offline_since timestamptz, auto_deactivated_at timestamptz,
        answering_since timestamptz, version text, api_version text, capabilities jsonb,
        next_check_at timestamptz)
    WHERE site.id = found.id
""")
_WRITE_LOG = sa.text("""
    INSERT INTO service_health_logs
        (service_id, checked_at, health_status, is_available, response_time_ms, message, covers_s)
    SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS found (
        service_id uuid, checked_at timestamptz, health_status text, is_available boolean,
        response_time_ms double precision, message text, covers_s double precision)
""")


class ClaimedSite(NamedTuple):
    """What a probe has to know of a site; `response_time_ms` is of the last one."""

    id: UUID
    claim_id: UUID
    api_type: ApiType
    base_url: str
    ca_pem: str | None
    api_config: dict[str, Any]
    response_time_ms: float | None


class HeldSite(NamedTuple):
    """A site under a claim, with all that a finding about it depends on."""

    id: UUID
    name: str
    claim_id: UUID
    api_config: dict[str, Any]
    health_status: HealthStatus
    is_available: bool
    error_message: str | None
    response_time_ms: float | None
    last_health_check: datetime | None
    offline_since: datetime | None
    auto_deactivated_at: datetime | None
    answering_since: datetime | None


def claim_due_sites(session: Session, now: datetime, limit: int) -> list[ClaimedSite]:
    """Claim up to `limit` due sites for as long as a probe of each can last.

    Slowest first, and before them those of which nothing is known: all are done soonest when these begin soonest.
    """
    due = (
        sa.select(_site.id)
        .where(_site.is_active, _site.next_check_at <= now, sa.func.coalesce(_site.claimed_until, _EPOCH) <= now)
        .order_by(_site.next_check_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    config = _site.api_config
    probe_s = config["connect_timeout_s"].as_float() + config["request_timeout_s"].as_float() + CLAIM_MARGIN_S
    lease = sa.func.make_interval(0, 0, 0, 0, 0, 0, probe_s)
    claim = sa.update(_site).where(_site.id.in_(due))
    claimed = claim.values(claim_id=sa.func.gen_random_uuid(), claimed_until=sa.literal(now) + lease)
    columns = [getattr(_site, name) for name in ClaimedSite._fields]
    found = session.execute(claimed.returning(*columns), execution_options={"synchronize_session": False})
    sites = [ClaimedSite._make(row) for row in found]
    return sorted(sites, key=lambda site: -math.inf if site.response_time_ms is None else -site.response_time_ms)


def find_next_due(session: Session) -> datetime | None:
    """When the next site may be claimed; None without active sites."""
    at: sa.ColumnElement[datetime] = sa.func.greatest(
        _site.next_check_at, sa.func.coalesce(_site.claimed_until, _EPOCH)
    )
    return session.scalar(sa.select(sa.func.min(at)).where(_site.is_active))


def release_claims(session: Session, claim_ids: Sequence[UUID]) -> None:
    free = sa.update(_site).where(_site.claim_id.in_(claim_ids)).values(claim_id=None, claimed_until=None)
    session.execute(free, execution_options={"synchronize_session": False})


def release_all_claims(session: Session) -> None:
    """For who has just become the only one to probe: all claims are of others, who do so no more."""
    free = sa.update(_site).where(_site.claim_id.is_not(None)).values(claim_id=None, claimed_until=None)
    session.execute(free, execution_options={"synchronize_session": False})


def lock_claimed(session: Session, claim_ids: Sequence[UUID]) -> list[HeldSite]:
    """The sites that these claims still hold, in a fixed order, so that two writers never wait crosswise."""
    columns = [getattr(_site, name) for name in HeldSite._fields]
    statement = sa.select(*columns).where(_site.claim_id.in_(claim_ids)).order_by(_site.id).with_for_update()
    return [HeldSite._make(row) for row in session.execute(statement)]


def write_findings(session: Session, sites: Sequence[Mapping[str, Any]], log: Sequence[Mapping[str, Any]]) -> None:
    """All findings at once: the sites' new state (ends their claims), and one line of history each."""
    if not sites:
        return
    session.execute(_WRITE_FINDINGS, {"rows": to_json(sites).decode()})
    session.execute(_WRITE_LOG, {"rows": to_json(log).decode()})
