"""What the platform's roles mean here: curators curate and see to jobs, operators to our services, admins to all."""

from collections.abc import Collection
from typing import Any

from django.contrib.auth.models import Group, Permission, User
from django.db.models import Q, QuerySet

STAFF_ROLES = frozenset({"curator", "operator", "admin"})
_GROUPS: dict[str, tuple[str, Q]] = {
    "curator": (
        "curators",
        Q(content_type__app_label__in=("imputation", "outbox"))
        | Q(content_type__app_label="staff", codename__in=("view_jobs", "steer_jobs")),
    ),
    "operator": ("operators", Q(content_type__app_label="staff", codename="operate_services")),
}


def ensure_groups(roles: Collection[str]) -> list[Group]:
    """The groups of these roles, with the permissions that they have today."""
    return [_ensure_group(name, permissions) for role, (name, permissions) in _GROUPS.items() if role in roles]


def _ensure_group(name: str, permissions: Q) -> Group:
    group, _ = Group.objects.get_or_create(name=name)
    wanted: QuerySet[Permission, Any] = Permission.objects.filter(permissions)
    group.permissions.set(wanted)
    return group


def give_roles(user: User, roles: Collection[str]) -> None:
    """Saves the user. Without one of the roles that have a place here, the account cannot log in any more."""
    user.is_active = user.is_staff = bool(STAFF_ROLES & set(roles))
    user.is_superuser = "admin" in roles
    user.save()
    user.groups.set(ensure_groups(roles))


def name_person(user: User, full_name: str) -> None:
    user.first_name, _, user.last_name = full_name[:150].rpartition(" ")
