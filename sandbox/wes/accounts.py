"""The site's accounts in sapporo's own form: without any, everybody may run and read everything."""

import json
import secrets
from pathlib import Path

from argon2 import PasswordHasher

TOKEN_HOURS = 24


class AccountsFileError(Exception):
    """The file of accounts cannot be used."""


def write_auth_config(path: Path, accounts: Path) -> None:
    """`accounts` is a JSON list of objects with `username` and `password`, other fields ignored. The key that signs
    tokens stays the same, so that they outlive a restart. Raises AccountsFileError."""
    users = _read_users(accounts)
    path.touch(mode=0o600)
    try:
        key = json.loads(path.read_text(encoding="utf-8"))["sapporo_auth_config"]["secret_key"]
    except (ValueError, KeyError):
        key = secrets.token_urlsafe(48)
    hasher = PasswordHasher()
    config = {
        "auth_enabled": True,
        "idp_provider": "sapporo",
        "sapporo_auth_config": {
            "secret_key": key,
            "expires_delta_hours": TOKEN_HOURS,
            "users": [{"username": name, "password_hash": hasher.hash(password)} for name, password in users],
        },
        "external_config": {
            "idp_url": "https://example.org",
            "jwt_audience": "account",
            "client_mode": "public",
            "client_id": None,
            "client_secret": None,
        },
    }
    path.write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")


def _read_users(path: Path) -> list[tuple[str, str]]:
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        return [(entry["username"], entry["password"]) for entry in entries]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise AccountsFileError(f"{path} is no list of accounts: {error!r}") from error
