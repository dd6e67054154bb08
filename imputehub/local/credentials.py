"""Secrets of this installation, made once, and the accounts that its people log in with."""

import base64
import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imputehub.local.errors import LocalPlatformError
from imputehub.local.postgresql import Database
from imputehub.local.state import read_json, write_private

DATABASES = {
    "api_gateway": "api_gateway_db",
    "user_service": "user_management_db",
    "service_registry": "service_registry_db",
    "job_processor": "job_processing_db",
    "file_manager": "file_management_db",
    "notification": "notification_db",
    "monitoring": "monitoring_db",
    "django": "federated_imputation",
}
OWNERS = tuple(DATABASES)
SERVICES = tuple(owner for owner in OWNERS if owner != "django")

Secrets = Mapping[str, str]


@dataclass(frozen=True)
class DemoAccount:
    name: str
    roles: tuple[str, ...]
    organization: str = "Example Institute"

    @property
    def email(self) -> str:
        return f"{self.name}@example.org"


ACCOUNTS = (
    DemoAccount("researcher", ("researcher",)),
    DemoAccount("curator", ("curator",)),
    DemoAccount("operator", ("operator",)),
    DemoAccount("admin", ("admin",)),
    DemoAccount("researcher2", ("researcher",), "Another Example Institute"),
)
# Django's own, for when user_service is down; the platform does not know it.
BREAK_GLASS = DemoAccount("break-glass", ("admin",))
# By user name: the demonstration's researcher, and whoever registers and tries the sandbox's sites.
SANDBOX_PEOPLE = {"researcher": ACCOUNTS[0].email, "newcomer": "newcomer@example.org"}


def load_secrets(home: Path, *, has_data: bool) -> Secrets:
    """The secrets of `home`; what is missing of them is made and kept.

    Raises:
        LocalPlatformError: the file is damaged while there is data that only its keys can read.
    """
    path = home / "secrets.json"
    known = read_json(path, {})
    if not known and has_data:
        raise LocalPlatformError(
            f"{path} is missing or damaged, and the data beside it cannot be read without its keys: "
            f"put it back, or remove {home} to begin anew"
        )
    complete = {name: known.get(name) or make() for name, make in _list_secrets().items()}
    if complete != known:
        write_private(path, complete)
    return complete


def _list_secrets() -> dict[str, Callable[[], str]]:
    single = ["installation", "control", "console", "postgresql", "valkey", "django_key"]
    single += [f"sandbox:{name}" for name in SANDBOX_PEOPLE]
    per_owner = [f"{what}:{owner}" for what in ("database", "client") for owner in OWNERS]
    accounts = [f"account:{account.name}" for account in (*ACCOUNTS, BREAK_GLASS)]
    makers: dict[str, Callable[[], str]] = dict.fromkeys(single + per_owner + accounts, _make_password)
    keys = ["url_signing", *(f"encryption:{owner}" for owner in OWNERS)]
    return makers | dict.fromkeys(keys, _make_key)


def _make_password() -> str:
    return secrets.token_urlsafe(24)


def _make_key() -> str:
    """32 random bytes in URL-safe base64, which is also the form of a Fernet key."""
    return base64.urlsafe_b64encode(os.urandom(32)).decode()


def list_databases(secret: Secrets) -> list[Database]:
    return [Database(name, owner, secret[f"database:{owner}"]) for owner, name in DATABASES.items()]


def describe_accounts(secret: Secrets) -> list[dict[str, Any]]:
    """What user_service is told about the demo's people."""
    return [_describe_account(account, secret) for account in ACCOUNTS]


def describe_staff(secret: Secrets) -> list[dict[str, Any]]:
    """What Django is told: its one account with a password of its own. The others log in as on the platform."""
    people = [{"email": account.email, "roles": list(account.roles)} for account in ACCOUNTS]
    return [_describe_account(BREAK_GLASS, secret), *people]


def _describe_account(account: DemoAccount, secret: Secrets) -> dict[str, Any]:
    return {
        "email": account.email,
        "password": secret[f"account:{account.name}"],
        "full_name": account.name.capitalize(),
        "roles": list(account.roles),
        "organization": account.organization,
        "tier": "local",
    }


def write_credentials(home: Path, secret: Secrets, gateway_url: str, databases: Mapping[str, str]) -> None:
    """`credentials.json`, for people and scripts; rewritten at every start, because ports can change."""
    log_ins = {
        account.name: {"email": account.email, "password": secret[f"account:{account.name}"]}
        for account in (*ACCOUNTS, BREAK_GLASS)
    }
    document = {
        "gateway_url": gateway_url,
        "admin_url": f"{gateway_url}/admin/",
        "break_glass": log_ins.pop(BREAK_GLASS.name),
        "accounts": log_ins,
        "databases": dict(databases),
    }
    write_private(home / "credentials.json", document)


def write_sandbox_accounts(home: Path, secret: Secrets) -> Path:
    """The people whom the sandbox's sites know; the sites make their tokens."""
    path = home / "sandbox" / "accounts.json"
    accounts = [
        {"username": name, "password": secret[f"sandbox:{name}"], "name": name.capitalize(), "mail": mail}
        for name, mail in SANDBOX_PEOPLE.items()
    ]
    write_private(path, accounts)
    return path
