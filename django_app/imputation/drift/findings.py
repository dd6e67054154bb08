"""What is wrong with one site, from both sides' descriptions of it."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal
from uuid import UUID

from django.utils import timezone

from django_app.imputation.drift.own_sites import OwnSite
from django_app.outbox.models import Delivery
from microservices.contracts.registry import CopyState

Kind = Literal["pending", "undelivered", "refused", "missing", "behind", "ahead", "altered", "stray", "unreadable"]

_ON_ITS_WAY = timedelta(seconds=30)
_WORDS: dict[Kind, str] = {
    "pending": "Its last change is on its way.",
    "undelivered": "Its last change has not arrived.",
    "refused": "The registry refuses its last change.",
    "missing": "The registry does not have it.",
    "behind": "The registry has an older version.",
    "ahead": "The registry has a version that was never given here, as if this database were restored from a backup.",
    "altered": "The registry has this version with another content.",
    "stray": "The registry has it although the catalogue does not.",
    "unreadable": "What to tell of it cannot be made here. Set its credential again.",
}


@dataclass(frozen=True)
class Finding:
    """A site that is not the same on both sides. `version`: ours; `registry_version`: theirs; None: never heard of."""

    service_id: UUID
    name: str
    kind: Kind
    version: int | None
    registry_version: int | None
    message: str
    differences: list[str] = field(default_factory=list)

    @property
    def is_drift(self) -> bool:
        """What is on its way arrives by itself."""
        return self.kind != "pending"

    @property
    def key(self) -> tuple[UUID, Kind, int | None, int | None]:
        return self.service_id, self.kind, self.version, self.registry_version


def judge_site(key: UUID, own: OwnSite | None, copy: CopyState | None) -> Finding | None:
    """None when both sides agree."""
    kind = _judge(own, copy)
    if kind is None:
        return None
    message = " ".join(filter(None, (_WORDS[kind], _explain_waiting(own.waiting) if own and own.waiting else "")))
    return Finding(
        key, own.name if own else "", kind, own.version if own else None, copy.version if copy else None, message
    )


def _judge(own: OwnSite | None, copy: CopyState | None) -> Kind | None:
    if own and own.waiting:
        return _judge_waiting(own.waiting)
    is_there = copy is not None and copy.fingerprint is not None
    if own is None or not own.exists:
        return "stray" if is_there else None
    if own.document is None:
        return "unreadable"
    if copy is None or copy.fingerprint is None:
        return "missing"
    if copy.version != own.version:
        return "behind" if (copy.version or 0) < own.version else "ahead"
    return "altered" if copy.fingerprint != own.fingerprint else None


def _judge_waiting(delivery: Delivery) -> Kind:
    if delivery.parked_at is not None:
        return "refused"
    is_late = delivery.attempts > 0 or timezone.now() - delivery.occurred_at > _ON_ITS_WAY
    return "undelivered" if is_late else "pending"


def _explain_waiting(delivery: Delivery) -> str:
    since = f"It waits since {delivery.occurred_at:%Y-%m-%d %H:%M:%S} UTC"
    if not delivery.attempts and not delivery.parked_at:
        return f"{since}."
    return f"{since}, tried {delivery.attempts} times: {delivery.error}"
