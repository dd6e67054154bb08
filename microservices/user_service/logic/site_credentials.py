"""People's own credentials for imputation sites: written by their owner, read only for a run of theirs."""

from uuid import UUID

from sqlalchemy.orm import Session

from microservices.contracts.user_service import (
    SITE_CREDENTIAL_CHANGED,
    CredentialRequest,
    SiteCredential,
    SiteCredentialChanged,
)
from microservices.kernel.auth import Principal
from microservices.kernel.crypto import FieldCipher
from microservices.kernel.db import utc_now
from microservices.kernel.outbox import record_event
from microservices.kernel.pagination import Page, paginate
from microservices.user_service import queries
from microservices.user_service.errors import CredentialNotFoundError
from microservices.user_service.logic.accounts import find_own_account
from microservices.user_service.logic.audit import Origin, record_action, record_of_user
from microservices.user_service.models import SiteCredentialRow, User
from microservices.user_service.schemas import CredentialQuery, CredentialRecord


def list_credentials(session: Session, caller: Principal, query: CredentialQuery) -> Page[CredentialRecord]:
    return paginate(
        session,
        queries.select_credentials(caller),
        query,
        sortable={"set_at": SiteCredentialRow.set_at},
        key=SiteCredentialRow.id,
        to_item=lambda row: CredentialRecord(service_id=row.service_id, set_at=row.set_at),
    )


def set_credential(
    session: Session, cipher: FieldCipher, caller: Principal, service_id: UUID, secret: str, origin: Origin
) -> CredentialRecord:
    """The credential of the caller for this site, in place of an earlier one."""
    user = find_own_account(session, caller)
    now = utc_now()
    queries.save_credential(session, caller, service_id, cipher.encrypt(secret), now)
    record_of_user(session, "credential_set", origin, user, details={"service_id": str(service_id)})
    _tell_change(session, user, service_id, is_set=True)
    return CredentialRecord(service_id=service_id, set_at=now)


def delete_credential(session: Session, caller: Principal, service_id: UUID, origin: Origin) -> None:
    """Raises `CredentialNotFoundError`."""
    user = find_own_account(session, caller)
    if not queries.delete_credential(session, caller, service_id):
        raise CredentialNotFoundError("You have no credential for this site.")
    record_of_user(session, "credential_deleted", origin, user, details={"service_id": str(service_id)})
    _tell_change(session, user, service_id, is_set=False)


def _tell_change(session: Session, user: User, service_id: UUID, *, is_set: bool) -> None:
    """Runs that wait for this credential go on at once, and the person's other pages show it."""
    change = SiteCredentialChanged(
        owner_id=user.id, organization_id=user.organization_id, service_id=service_id, is_set=is_set
    )
    record_event(
        session,
        type=SITE_CREDENTIAL_CHANGED,
        subject=f"site-credential/{user.id}/{service_id}",
        data=change.model_dump(),
        subscribers=["job_processor", "notification"],
    )


def resolve_credential(
    session: Session, cipher: FieldCipher, caller: Principal, request: CredentialRequest, origin: Origin
) -> SiteCredential:
    """A person's credential in clear, for one run of theirs. Raises `CredentialNotFoundError`."""
    row = queries.find_credential_of(session, request.user_id, request.service_id)
    if row is None:
        raise CredentialNotFoundError("This person has no credential for this site.")
    secret = SiteCredential(credential=cipher.decrypt(row.credential))
    record_action(
        session,
        "credential_used",
        origin,
        actor=caller.subject,
        owner_id=row.owner_id,
        organization_id=row.organization_id,
        details={"service_id": str(request.service_id), "run_id": str(request.run_id)},
    )
    return secret
