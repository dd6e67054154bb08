"""Makes the accounts that may log in to the admin what a list on standard input says. Safe to repeat.

`[{"email": …, "password": …, "full_name": …, "roles": ["curator"]}]`: curators are staff with the rights of the group
"curators", administrators may do everything, and whoever has neither role may not log in here.
"""

import sys
from typing import Any

from django.contrib.auth.models import Group, Permission, User
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from pydantic import BaseModel, ConfigDict, EmailStr, Field, SecretStr, TypeAdapter, ValidationError

CURATORS = "curators"
_CURATED_APPS = ("imputation", "outbox")


class Account(BaseModel):
    model_config = ConfigDict(extra="ignore")

    email: EmailStr
    password: SecretStr = Field(min_length=1)
    full_name: str = Field(default="", max_length=300)
    roles: list[str]

    @property
    def is_admin(self) -> bool:
        return "admin" in self.roles

    @property
    def is_staff(self) -> bool:
        return self.is_admin or "curator" in self.roles


class Command(BaseCommand):
    help = "Makes staff accounts from a JSON list on standard input."

    def handle(self, *_args: Any, **_options: Any) -> None:
        accounts = read_accounts(sys.stdin.read())
        with transaction.atomic():
            group = ensure_group()
            for account in accounts:
                ensure_account(account, group)
        staff = sum(account.is_staff for account in accounts)
        self.stdout.write(f"{staff} of {len(accounts)} accounts may log in to the admin.")


def read_accounts(text: str) -> list[Account]:
    try:
        return TypeAdapter(list[Account]).validate_json(text)
    except ValidationError as error:
        findings = [f"{'.'.join(map(str, finding['loc']))}: {finding['msg']}" for finding in error.errors()]
        raise CommandError(f"The list of accounts on standard input is not valid. {'; '.join(findings)}") from error


def ensure_group() -> Group:
    group, _ = Group.objects.get_or_create(name=CURATORS)
    group.permissions.set(Permission.objects.filter(content_type__app_label__in=_CURATED_APPS))
    return group


def ensure_account(account: Account, group: Group) -> None:
    """The user name is the e-mail address, in lower case. A password that is right already keeps its sessions."""
    email = account.email.lower()
    user = User.objects.filter(username=email).first()
    if user is None:
        if not account.is_staff:
            return
        user = User(username=email, email=email)
    user.first_name, _, user.last_name = account.full_name[:150].rpartition(" ")
    user.is_active = user.is_staff = account.is_staff
    user.is_superuser = account.is_admin
    password = account.password.get_secret_value()
    if not user.check_password(password):
        user.set_password(password)
    user.save()
    user.groups.set([group] if account.is_staff else [])
