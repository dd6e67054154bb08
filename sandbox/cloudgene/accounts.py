"""The people who may use the site."""

import json
import secrets
import sqlite3
import string
import time
from dataclasses import dataclass
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

MAX_FAILURES = 5
LOCK_SECONDS = 30 * 60
_HASHER = PasswordHasher()
_FIELDS = ("username", "password", "name", "mail")


class AccountsFileError(Exception):
    """The accounts file is not a list of accounts."""


@dataclass(frozen=True)
class Account:
    """`api_hash` marks the one API token that is valid; None without any."""

    username: str
    name: str
    mail: str
    admin: bool
    api_hash: str | None


def import_accounts(database: sqlite3.Connection, path: Path) -> None:
    """Adds the accounts of a JSON file and updates those that are known; passwords are stored hashed only, and
    anew only when changed, so that a restart stays quick. Raises AccountsFileError."""
    try:
        entries = [
            {**{field: str(entry[field]) for field in _FIELDS}, "admin": bool(entry.get("admin"))}
            for entry in json.loads(path.read_text(encoding="utf-8"))
        ]
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise AccountsFileError(f"{path} is not a list of accounts ({', '.join(_FIELDS)}): {error!r}") from error
    for entry in entries:
        password = str(entry.pop("password"))
        known = _find_row(database, str(entry["username"]))
        keeps = known is not None and is_password(known["password_hash"], password)
        hashed = known["password_hash"] if known and keeps else _HASHER.hash(password)
        database.execute(
            "INSERT INTO accounts (username, password_hash, name, mail, admin)"
            " VALUES (:username, :hashed, :name, :mail, :admin) ON CONFLICT (username) DO UPDATE SET"
            " password_hash = :hashed, name = :name, mail = :mail, admin = :admin",
            {**entry, "hashed": hashed},
        )


def _find_row(database: sqlite3.Connection, username: str) -> sqlite3.Row | None:
    rows = database.execute("SELECT * FROM accounts WHERE username = ?", (username,)).fetchall()
    return rows[0] if rows else None


def is_password(hashed: str, password: str) -> bool:
    """Takes some 50 ms, by intent."""
    try:
        return _HASHER.verify(hashed, password)
    except (Argon2Error, InvalidHashError):
        return False


def find_account(database: sqlite3.Connection, username: str) -> Account | None:
    """None for a stranger."""
    row = _find_row(database, username)
    if row is None:
        return None
    return Account(row["username"], row["name"], row["mail"], bool(row["admin"]), row["api_hash"])


def find_password_hash(database: sqlite3.Connection, username: str) -> str | None:
    """None for a stranger."""
    row = _find_row(database, username)
    return str(row["password_hash"]) if row else None


def is_locked(database: sqlite3.Connection, username: str) -> bool:
    """After too many wrong passwords, for half an hour."""
    row = _find_row(database, username)
    return row is not None and row["locked_until"] > time.time()


def note_login(database: sqlite3.Connection, username: str, succeeded: bool) -> None:
    """Counts wrong passwords and locks the account when there were too many in a row."""
    if succeeded:
        database.execute("UPDATE accounts SET failures = 0, locked_until = 0 WHERE username = ?", (username,))
        return
    database.execute("UPDATE accounts SET failures = failures + 1 WHERE username = ?", (username,))
    database.execute(
        "UPDATE accounts SET failures = 0, locked_until = ? WHERE username = ? AND failures >= ?",
        (time.time() + LOCK_SECONDS, username, MAX_FAILURES),
    )


def renew_api_hash(database: sqlite3.Connection, username: str) -> str:
    """Whatever API token there was is revoked by it."""
    api_hash = "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(30))
    database.execute("UPDATE accounts SET api_hash = ? WHERE username = ?", (api_hash, username))
    return api_hash


def revoke_api_hash(database: sqlite3.Connection, username: str) -> None:
    """No API token is valid afterwards."""
    database.execute("UPDATE accounts SET api_hash = NULL WHERE username = ?", (username,))


def count_accounts(database: sqlite3.Connection) -> int:
    """All of them."""
    return int(database.execute("SELECT count(*) FROM accounts").fetchone()[0])
