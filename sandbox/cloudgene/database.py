"""The site's memory: one SQLite file in its data folder. Used from the event loop only."""

import sqlite3
from pathlib import Path

_SCHEMA = """
CREATE TABLE IF NOT EXISTS accounts (
    username TEXT PRIMARY KEY, password_hash TEXT NOT NULL, name TEXT NOT NULL, mail TEXT NOT NULL,
    admin INTEGER NOT NULL DEFAULT 0, api_hash TEXT, failures INTEGER NOT NULL DEFAULT 0,
    locked_until REAL NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS jobs (id TEXT PRIMARY KEY, document TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS files (
    hash TEXT PRIMARY KEY, job TEXT NOT NULL, name TEXT NOT NULL, size INTEGER NOT NULL,
    count INTEGER NOT NULL, shared INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS files_of_job ON files (job);
CREATE TABLE IF NOT EXISTS numbers (id INTEGER PRIMARY KEY AUTOINCREMENT);
"""


def open_database(path: Path) -> sqlite3.Connection:
    """Every statement is a transaction of its own."""
    database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    database.row_factory = sqlite3.Row
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = NORMAL")
    database.executescript(_SCHEMA)
    return database


def next_number(database: sqlite3.Connection) -> int:
    """An id like those that a database gives to steps and outputs; larger than all before."""
    return 1000 + int(database.execute("INSERT INTO numbers DEFAULT VALUES").lastrowid or 0)
