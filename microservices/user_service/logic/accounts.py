"""Accounts: how people get them, what they see of them, and what they may change."""

import unicodedata
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from microservices.kernel.auth import Principal
from microservices.kernel.db import Database
from microservices.kernel.errors import UnauthenticatedError
from microservices.user_service import queries
from microservices.user_service.errors import AccountInactiveError, EmailTakenError, OrganizationTakenError
from microservices.user_service.logic.audit import Origin, record_of_user
from microservices.user_service.logic.passwords import hash_password
from microservices.user_service.models import Organization, Role, User, UserProfile
from microservices.user_service.schemas import OrganizationRecord, ProfileChange, Registration, UserRecord

FIRST_ROLE = "researcher"
FIRST_TIER = "development"


def register(database: Database, wanted: Registration, origin: Origin) -> UserRecord:
    """A new account, with a new organisation. Raises `EmailTakenError` or `OrganizationTakenError`."""
    password_hash = hash_password(wanted.password.get_secret_value())
    try:
        with database.transaction() as session:
            organization = name_organization(wanted.organization) if wanted.organization else own_organization(wanted)
            roles = queries.find_roles(session, [FIRST_ROLE])
            user = add_user(session, wanted, password_hash, organization, roles, FIRST_TIER)
            record_of_user(session, "registered", origin, user)
            return describe_user(user)
    except IntegrityError as error:
        raise _explain_conflict(error) from error


def _explain_conflict(error: IntegrityError) -> Exception:
    constraint = getattr(getattr(error.orig, "diag", None), "constraint_name", None)
    if constraint == "uq_users_email":
        return EmailTakenError("There is an account with this e-mail address already. Log in, or use another address.")
    if constraint == "uq_organizations_name_key":
        detail = "There is an organisation of this name already. One joins it by invitation; or choose another name."
        return OrganizationTakenError(detail)
    return error


def add_user(
    session: Session,
    wanted: Registration,
    password_hash: str,
    organization: Organization,
    roles: list[Role],
    tier: str,
) -> User:
    user = User(
        email=wanted.email,
        password_hash=password_hash,
        organization=organization,
        tier=tier,
        roles=roles,
        profile=UserProfile(full_name=wanted.full_name),
    )
    session.add(user)
    session.flush()
    session.refresh(user)
    return user


def name_organization(name: str) -> Organization:
    return Organization(name=name, name_key=fold_name(name), is_personal=False)


def own_organization(wanted: Registration) -> Organization:
    return Organization(name=wanted.email, name_key=fold_name(wanted.email), is_personal=True)


def fold_name(name: str) -> str:
    """The name as it is compared: letters' case, width and spacing make no other organisation."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def find_own_account(session: Session, caller: Principal) -> User:
    """The caller's account. Raises `UnauthenticatedError` when it is gone, `AccountInactiveError` when it is closed."""
    user_id: UUID = caller.person[0]
    user = queries.find_user(session, user_id)
    if user is None:
        raise UnauthenticatedError("This account does not exist any more.")
    if not user.is_active:
        raise AccountInactiveError("This account has been deactivated. Ask an administrator.")
    return user


def change_profile(session: Session, caller: Principal, change: ProfileChange) -> UserRecord:
    user = find_own_account(session, caller)
    for field in change.model_fields_set:
        setattr(user.profile, field, getattr(change, field))
    session.flush()
    return describe_user(user)


def describe_user(user: User) -> UserRecord:
    return UserRecord(
        id=user.id,
        email=user.email,
        email_verified=user.email_verified_at is not None,
        full_name=user.profile.full_name,
        affiliation=user.profile.affiliation,
        organization=OrganizationRecord(id=user.organization.id, name=user.organization.name),
        roles=user.role_names,
        permissions=sorted({permission.name for role in user.roles for permission in role.permissions}),
        tier=user.tier,
        is_active=user.is_active,
        mfa_enabled=user.has_second_factor,
        created_at=user.created_at,
    )
