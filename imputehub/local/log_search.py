"""What a process has written, newest first and narrowed down: for people who look into a log from afar."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imputehub.local.errors import LocalPlatformError
from imputehub.local.logs import find_logs

LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40, "critical": 50}
SEARCHED_BYTES = 8 * 2**20  # per question; who wants more asks on from where this one ended
ANSWERED_BYTES = 2**20
LONGEST_ENTRY = 8000
LONGEST_TEXT = 200
_BLOCK_BYTES = 64 * 1024
_KNOWN = ("timestamp", "level", "logger", "service", "request_id", "event", "exception")
_OTHER_NAMES = {"log": "info", "notice": "info", "warn": "warning", "fatal": "critical", "panic": "critical"}
_NAMED_LEVEL = re.compile(r"\b(DEBUG|INFO|LOG|NOTICE|WARNING|WARN|ERROR|CRITICAL|FATAL|PANIC)\b")
_VALKEY_SIGN = re.compile(r"^\d+:[XCSM] .{20,30}? ([.\-*#]) ")
_VALKEY_LEVELS = {".": "debug", "-": "debug", "*": "info", "#": "warning"}
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class LogQuery:
    """`level`: this one or worse; `text`: in the line, in any case; `before`: an earlier answer's cursor."""

    level: str = ""
    text: str = ""
    request_id: str = ""
    before: str = ""
    limit: int = 100

    @classmethod
    def read(cls, question: Mapping[str, Any]) -> "LogQuery":
        """Raises LocalPlatformError for what cannot be meant."""
        given = {
            name: str(question.get(name) or "")[:LONGEST_TEXT] for name in ("level", "text", "request_id", "before")
        }
        if given["level"] and given["level"] not in LEVELS:
            raise LocalPlatformError(f"There is no level {given['level']}; there are {', '.join(LEVELS)}")
        return cls(**given, limit=min(max(int(question.get("limit") or 100), 1), 500))


def search_log(home: Path, name: str, query: LogQuery) -> dict[str, Any]:
    """`entries`, newest first, and `older`: the cursor to ask on from, empty at the log's beginning.

    An answer may hold fewer entries than were asked for, or none, and still have a cursor: so much was searched.

    Raises:
        LocalPlatformError: there is no such log, or the cursor is none.
    """
    [path] = find_logs(home, name or "?").values()
    parts = [path, path.with_suffix(".log.1")]
    part, end = _read_cursor(query.before, parts)
    entries: list[dict[str, str]] = []
    searched = answered = 0
    while part < len(parts):
        for offset, line in read_backwards(parts[part], end):
            entry = _read_match(line, query)
            searched, end = searched + len(line) + 1, offset
            if entry:
                entries.append(entry)
                answered += len(entry["details"]) + len(entry["event"])
            if len(entries) >= query.limit or searched > SEARCHED_BYTES or answered > ANSWERED_BYTES:
                return {"entries": entries, "older": f"{part}:{end}" if end or part == 0 else ""}
        part, end = part + 1, _measure(parts[part + 1]) if part + 1 < len(parts) else 0
    return {"entries": entries, "older": ""}


def _read_cursor(cursor: str, parts: list[Path]) -> tuple[int, int]:
    """(part, offset). A log that was cut since has become the older part."""
    if not cursor:
        return 0, _measure(parts[0])
    found = re.fullmatch(r"([01]):(\d{1,12})", cursor)
    if found is None:
        raise LocalPlatformError("That place in the log is not understood; begin with the newest lines")
    part, offset = int(found[1]), int(found[2])
    if part == 0 and offset > _measure(parts[0]):
        part = 1
    return part, min(offset, _measure(parts[part]))


def _measure(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def read_backwards(path: Path, end: int) -> Iterator[tuple[int, bytes]]:
    """(where it begins, line) of each line before `end`, the last first."""
    if end <= 0:
        return
    with path.open("rb") as file:
        rest, start = b"", end
        while start > 0:
            size = min(_BLOCK_BYTES, start)
            start -= size
            file.seek(start)
            lines = (file.read(size) + rest).split(b"\n")
            rest = lines[0]
            place = start + sum(len(line) + 1 for line in lines)
            for line in reversed(lines[1:]):
                place -= len(line) + 1
                if line:
                    yield place, line
        if rest:
            yield 0, rest


def _read_match(line: bytes, query: LogQuery) -> dict[str, str] | None:
    text = line.decode(errors="replace")
    if query.request_id and query.request_id not in text:
        return None
    if query.text and not _contains(text, query.text):
        return None
    entry = read_entry(text)
    if query.request_id and entry["request_id"] != query.request_id:
        return None
    if query.level and LEVELS.get(entry["level"], 0) < LEVELS[query.level]:
        return None
    return entry


def _contains(line: str, wanted: str) -> bool:
    """Also what JSON writes in another way."""
    folded = line.casefold()
    return any(form.casefold() in folded for form in (wanted, json.dumps(wanted)[1:-1]))


def read_entry(line: str) -> dict[str, str]:
    """A line of ours by its fields; any other line whole, with the level that it seems to name, if any."""
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict):
        plain = _COLOURS.sub("", line)[:LONGEST_ENTRY]
        return {"time": "", "level": guess_level(plain), "logger": "", "request_id": "", "event": plain, "details": ""}
    known = {name: _make_writable(str(fields.get(name) or "")) for name in _KNOWN}
    others = [f"{_make_writable(name)}={_write_value(value)}" for name, value in fields.items() if name not in _KNOWN]
    details = "\n".join(filter(None, (" ".join(others), known["exception"])))
    level = known["level"].lower()
    return {
        "time": known["timestamp"],
        "level": _OTHER_NAMES.get(level, level),
        "logger": known["logger"],
        "request_id": known["request_id"],
        "event": known["event"][:LONGEST_ENTRY],
        "details": details[:LONGEST_ENTRY],
    }


def _write_value(value: Any) -> str:
    return _make_writable(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _make_writable(text: str) -> str:
    """JSON can name half of a pair (`\\ud800`), which no page can hold."""
    return text.encode(errors="replace").decode()


def guess_level(line: str) -> str:
    """Of PostgreSQL, Valkey, uvicorn and Python as they write it themselves; empty for a continuation."""
    if sign := _VALKEY_SIGN.match(line):
        return _VALKEY_LEVELS[sign[1]]
    if line.startswith("Traceback "):
        return "error"
    named = _NAMED_LEVEL.search(line[:200])
    level = named[1].lower() if named else ""
    return _OTHER_NAMES.get(level, level)
