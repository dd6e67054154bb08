"""Makes the local accounts of the admin what a list on standard input says. Safe to repeat.

`[{"email": …, "password": …, "full_name": …, "roles": ["admin"]}]`: such an account logs in here with this password,
also while user_service is away. An entry without a password is about an account of the platform: it gets none here, and
one that it had here is taken away, so that user_service alone decides on it.
"""

import sys
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from pydantic import BaseModel, ConfigDict, EmailStr, Field, SecretStr, TypeAdapter, ValidationError

from django_app.staff.roles import STAFF_ROLES, ensure_groups, give_roles, name_person


class Account(BaseModel):
    model_config = ConfigDict(extra="ignore")

    email: EmailStr
    password: SecretStr | None = Field(default=None, min_length=1)
    full_name: str = Field(default="", max_length=300)
    roles: list[str]

    @property
    def is_staff(self) -> bool:
        return bool(STAFF_ROLES & set(self.roles))


class Command(BaseCommand):
    help = "Makes local staff accounts from a JSON list on standard input."

    def handle(self, *_args: Any, **_options: Any) -> None:
        accounts = read_accounts(sys.stdin.read())
        with transaction.atomic():
            ensure_groups(STAFF_ROLES)
            for account in accounts:
                ensure_account(account)
        local = sum(account.is_staff and account.password is not None for account in accounts)
        self.stdout.write(f"{local} of {len(accounts)} accounts may log in to the admin with a local password.")


def read_accounts(text: str) -> list[Account]:
    try:
        return TypeAdapter(list[Account]).validate_json(text)
    except ValidationError as error:
        findings = [f"{'.'.join(map(str, finding['loc']))}: {finding['msg']}" for finding in error.errors()]
        raise CommandError(f"The list of accounts on standard input is not valid. {'; '.join(findings)}") from error


def ensure_account(account: Account) -> None:
    """The user name is the e-mail address, in lower case. A password that is right already keeps its sessions."""
    email = account.email.lower()
    user = User.objects.filter(username=email).first()
    if account.password is None:
        if user and user.has_usable_password():
            user.set_unusable_password()
            user.save()
        return
    if user is None:
        if not account.is_staff:
            return
        user = User(username=email, email=email)
    name_person(user, account.full_name)
    password = account.password.get_secret_value()
    if not user.check_password(password):
        user.set_password(password)
    give_roles(user, account.roles)
