"""The audit log: written in the transaction of what it tells of."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from microservices.user_service.models import AuditLog, User


@dataclass(frozen=True)
class Origin:
    """Where a request comes from."""

    address: str
    request_id: str


def record_action(
    session: Session,
    action: str,
    origin: Origin,
    *,
    actor: str,
    owner_id: UUID | None = None,
    organization_id: UUID | None = None,
    details: dict[str, Any] | None = None,
) -> None:
    """`actor`: a token's subject, or `anonymous`; `details` holds no secret and nothing that nobody has checked."""
    session.add(
        AuditLog(
            action=action,
            actor=actor,
            owner_id=owner_id,
            organization_id=organization_id,
            request_id=origin.request_id,
            address=origin.address,
            details=details or {},
        )
    )


def record_of_user(
    session: Session,
    action: str,
    origin: Origin,
    user: User,
    *,
    actor: str = "",
    details: dict[str, Any] | None = None,
) -> None:
    """What concerns an account; its owner did it unless `actor` says otherwise."""
    record_action(
        session,
        action,
        origin,
        actor=actor or str(user.id),
        owner_id=user.id,
        organization_id=user.organization_id,
        details=details,
    )
