"""Result files: each has a secret random hash and may be fetched a limited number of times."""

import secrets
import sqlite3
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class ResultFile:
    """`name` may hold folders; `count` downloads are left; `shared` links work once the job left the engine."""

    hash: str
    job: str
    name: str
    size: int
    count: int
    shared: bool


def register_files(database: sqlite3.Connection, job: str, folder: Path, count: int) -> None:
    """Everything below `folder`; links of an earlier run of the job become invalid."""
    database.execute("DELETE FROM files WHERE job = ?", (job,))
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            row = (secrets.token_hex(32), job, path.relative_to(folder).as_posix(), path.stat().st_size, count)
            database.execute("INSERT INTO files (hash, job, name, size, count) VALUES (?, ?, ?, ?, ?)", row)


def share_files(database: sqlite3.Connection, job: str) -> None:
    """The anonymous links of a job work from now on."""
    database.execute("UPDATE files SET shared = 1 WHERE job = ?", (job,))


def list_files(database: sqlite3.Connection, job: str) -> list[ResultFile]:
    """By name."""
    rows = database.execute("SELECT * FROM files WHERE job = ? ORDER BY name", (job,)).fetchall()
    return [_read_row(row) for row in rows]


def find_file(database: sqlite3.Connection, file_hash: str) -> ResultFile | None:
    """None for an unknown hash."""
    rows = database.execute("SELECT * FROM files WHERE hash = ?", (file_hash,)).fetchall()
    return _read_row(rows[0]) if rows else None


def take_download(database: sqlite3.Connection, file_hash: str) -> bool:
    """Uses up one download, whatever becomes of it; false when none is left."""
    done = database.execute("UPDATE files SET count = count - 1 WHERE hash = ? AND count > 0", (file_hash,))
    return done.rowcount == 1


def _read_row(row: sqlite3.Row) -> ResultFile:
    return ResultFile(row["hash"], row["job"], row["name"], row["size"], row["count"], bool(row["shared"]))


def format_size(size: int) -> str:
    """Rounded down to a whole unit: fit for people, not for verification."""
    for unit in ("bytes", "KB", "MB"):
        if size < 1024:
            return f"{size} {unit}"
        size //= 1024
    return f"{size} GB"
