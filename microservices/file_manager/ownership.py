"""Whose a file is."""

from dataclasses import dataclass
from uuid import UUID

from microservices.kernel.auth import Principal


@dataclass(frozen=True)
class Owner:
    organization_id: UUID
    owner_id: UUID

    @property
    def columns(self) -> dict[str, UUID]:
        return {"organization_id": self.organization_id, "owner_id": self.owner_id}


def owner_of(caller: Principal) -> Owner:
    user_id, organization_id = caller.person
    return Owner(organization_id, user_id)
