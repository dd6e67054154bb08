"""What is asked of the database."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from microservices.kernel.auth import Principal
from microservices.user_service.models import (
    LoginSession,
    Organization,
    RecoveryCode,
    RefreshToken,
    Role,
    SecondFactor,
    SigningKey,
    SiteCredentialRow,
    User,
    UserProfile,
)


def find_user_by_email(session: Session, email: str) -> User | None:
    return session.scalar(select(User).where(User.email == email))


def find_user(session: Session, user_id: UUID) -> User | None:
    return session.get(User, user_id)


def find_roles(session: Session, names: Sequence[str]) -> list[Role]:
    return list(session.scalars(select(Role).where(Role.name.in_(names)).order_by(Role.name)))


def list_people(session: Session, role: str) -> list[User]:
    """Whose account is active, with the role or as an administrator."""
    is_one = User.roles.any(Role.name.in_((role, "admin")))
    return list(session.scalars(select(User).where(User.is_active, is_one).order_by(User.id)))


def select_people(part: str | None) -> Select[User]:
    """Those whose address or name contains `part`."""
    everybody = select(User)
    if not part:
        return everybody
    named = User.profile.has(UserProfile.full_name.icontains(part, autoescape=True))
    return everybody.where(User.email.icontains(part, autoescape=True) | named)


def ensure_organization(session: Session, name: str, name_key: str) -> Organization:
    """The named organisation, made when it is not there; safe when two do it at once."""
    statement = insert(Organization).values(name=name, name_key=name_key, is_personal=False)
    named = ~Organization.is_personal
    session.execute(statement.on_conflict_do_nothing(index_elements=["name_key"], index_where=named))
    found = select(Organization).where(Organization.name_key == name_key, named)
    return session.scalars(found).one()


def lock_session_of_token(session: Session, token_hash: str) -> LoginSession | None:
    """The family that a refresh token belongs to, locked: its tokens are used one after the other."""
    of_token = select(RefreshToken.session_id).where(RefreshToken.token_hash == token_hash).scalar_subquery()
    return session.scalar(select(LoginSession).where(LoginSession.id == of_token).with_for_update())


def find_refresh_token(session: Session, token_hash: str) -> RefreshToken | None:
    return session.scalar(select(RefreshToken).where(RefreshToken.token_hash == token_hash))


def delete_ended_sessions(session: Session, user_id: UUID, before: datetime) -> None:
    session.execute(delete(LoginSession).where(LoginSession.user_id == user_id, LoginSession.ends_at < before))


def lock_session(session: Session, session_id: UUID, user_id: UUID) -> LoginSession | None:
    statement = select(LoginSession).where(LoginSession.id == session_id, LoginSession.user_id == user_id)
    return session.scalar(statement.with_for_update())


def end_sessions(session: Session, user_id: UUID, now: datetime, *, but: UUID | None = None) -> None:
    """All log-ins of a person, `but` one, with their refresh tokens and (soon, everywhere) their access tokens."""
    lasting = (LoginSession.user_id == user_id, LoginSession.revoked_at.is_(None), LoginSession.id != but)
    session.execute(update(LoginSession).where(*lasting).values(revoked_at=now))


def list_ended_sessions(session: Session, since: datetime) -> list[tuple[UUID, datetime]]:
    """(log-in, when it was ended) of those that did not end by themselves."""
    statement = select(LoginSession.id, LoginSession.revoked_at).where(LoginSession.revoked_at > since)
    return [(session_id, moment) for session_id, moment in session.execute(statement) if moment is not None]


def lock_second_factor(session: Session, user_id: UUID) -> SecondFactor | None:
    """As it is now, locked: codes for one account are judged one after the other."""
    statement = select(SecondFactor).where(SecondFactor.user_id == user_id).with_for_update()
    return session.scalar(statement.execution_options(populate_existing=True))


def replace_second_factor(session: Session, user_id: UUID, encrypted: str) -> bool:
    """A new one that waits to be confirmed, in place of one that does; False when one is confirmed already."""
    statement = insert(SecondFactor).values(user_id=user_id, secret=encrypted)
    waiting = SecondFactor.confirmed_at.is_(None)
    fresh = {"secret": encrypted, "wrong_codes": 0}
    statement = statement.on_conflict_do_update(index_elements=["user_id"], set_=fresh, where=waiting)
    return session.execute(statement.returning(SecondFactor.user_id)).first() is not None


def replace_recovery_codes(session: Session, user_id: UUID, hashes: Sequence[str]) -> None:
    session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
    session.execute(insert(RecoveryCode), [{"user_id": user_id, "code_hash": code_hash} for code_hash in hashes])


def use_recovery_code(session: Session, user_id: UUID, code_hash: str, now: datetime) -> bool:
    unused = (RecoveryCode.user_id == user_id, RecoveryCode.code_hash == code_hash, RecoveryCode.used_at.is_(None))
    statement = update(RecoveryCode).where(*unused).values(used_at=now)
    return session.execute(statement.returning(RecoveryCode.code_hash)).first() is not None


def count_recovery_codes(session: Session, user_id: UUID) -> int:
    """Those that are left."""
    unused = (RecoveryCode.user_id == user_id, RecoveryCode.used_at.is_(None))
    return session.scalar(select(func.count()).select_from(RecoveryCode).where(*unused)) or 0


def list_published_keys(session: Session, now: datetime) -> list[SigningKey]:
    """Newest first of those that sign."""
    statement = select(SigningKey).where((SigningKey.published_until.is_(None)) | (SigningKey.published_until > now))
    return list(session.scalars(statement.order_by(SigningKey.signs_from.desc(), SigningKey.kid)))


def select_credentials(caller: Principal) -> Select[SiteCredentialRow]:
    user_id, organization_id = caller.person
    return select(SiteCredentialRow).where(
        SiteCredentialRow.owner_id == user_id, SiteCredentialRow.organization_id == organization_id
    )


def save_credential(session: Session, caller: Principal, service_id: UUID, encrypted: str, now: datetime) -> None:
    user_id, organization_id = caller.person
    fresh = {"organization_id": organization_id, "credential": encrypted, "set_at": now}
    statement = insert(SiteCredentialRow).values(owner_id=user_id, service_id=service_id, **fresh)
    session.execute(statement.on_conflict_do_update(index_elements=["owner_id", "service_id"], set_=fresh))


def delete_credential(session: Session, caller: Principal, service_id: UUID) -> bool:
    user_id, organization_id = caller.person
    statement = delete(SiteCredentialRow).where(
        SiteCredentialRow.owner_id == user_id,
        SiteCredentialRow.organization_id == organization_id,
        SiteCredentialRow.service_id == service_id,
    )
    return session.execute(statement.returning(SiteCredentialRow.id)).first() is not None


def find_credential_of(session: Session, user_id: UUID, service_id: UUID) -> SiteCredentialRow | None:
    """A person's credential, for a run of theirs; none of a deactivated account."""
    statement = select(SiteCredentialRow).join(User, User.id == SiteCredentialRow.owner_id)
    return session.scalar(
        statement.where(User.id == user_id, User.is_active, SiteCredentialRow.service_id == service_id)
    )
