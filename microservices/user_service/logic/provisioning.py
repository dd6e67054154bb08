"""Accounts that whoever runs the platform asks for: made when they are missing, brought in line when they are not."""

from sqlalchemy.orm import Session

from microservices.kernel.db import utc_now
from microservices.kernel.errors import InvalidInputError
from microservices.user_service import queries
from microservices.user_service.logic.accounts import add_user, fold_name, own_organization
from microservices.user_service.logic.audit import Origin, record_of_user
from microservices.user_service.logic.passwords import check_password, hash_password
from microservices.user_service.logic.second_factors import take_away
from microservices.user_service.models import Organization, Role, User
from microservices.user_service.schemas import ProvisionedAccount


def provision_account(session: Session, wanted: ProvisionedAccount, origin: Origin) -> bool:
    """Was anything to be done? An existing account gets password, roles and tier; its organisation stays, and so does
    its second factor, unless it is to be reset.

    Raises `InvalidInputError` for a role that there is not.
    """
    roles = queries.find_roles(session, wanted.roles)
    unknown = set(wanted.roles) - {role.name for role in roles}
    if unknown:
        raise InvalidInputError(f"{wanted.email}: there is no role {', '.join(sorted(unknown))}.")
    user = queries.find_user_by_email(session, wanted.email)
    if user is None:
        password_hash = hash_password(wanted.password.get_secret_value())
        organization = _find_organization(session, wanted)
        user = add_user(session, wanted, password_hash, organization, roles, wanted.tier)
    elif not _bring_in_line(session, user, wanted, roles, origin):
        return False
    details = {"roles": user.role_names, "tier": user.tier}
    record_of_user(session, "provisioned", origin, user, actor="bootstrap", details=details)
    return True


def _find_organization(session: Session, wanted: ProvisionedAccount) -> Organization:
    if wanted.organization is None:
        return own_organization(wanted)
    return queries.ensure_organization(session, wanted.organization, fold_name(wanted.organization))


def _bring_in_line(session: Session, user: User, wanted: ProvisionedAccount, roles: list[Role], origin: Origin) -> bool:
    changed = wanted.reset_mfa and take_away(session, user, origin, actor="bootstrap")
    if not check_password(user.password_hash, wanted.password.get_secret_value()):
        user.password_hash = hash_password(wanted.password.get_secret_value())
        changed = True
    if user.tier != wanted.tier or user.role_names != [role.name for role in roles]:
        user.tier, user.roles = wanted.tier, roles
        changed = True
    if changed:  # tokens carry roles and tier, and a password is changed because somebody else may know it
        queries.end_sessions(session, user.id, utc_now())
    return changed
