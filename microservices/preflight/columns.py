"""Lines of a chunk as arrays: where each record's columns begin, and its position, without a Python loop per line.

Indices are bytes from the start of the chunk (int64, one row per record). The text is padded, so that a window
of up to PADDING bytes may begin at any byte of it.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from microservices.preflight.issues import IssueLog
from microservices.preflight.report import quote_bytes

Bytes = NDArray[np.uint8]
Indices = NDArray[np.int64]
Mask = NDArray[np.bool_]

PADDING = 128  # also the window in which the first nine tabs are looked for first
TAB, LINE_FEED, RETURN, HASH, ZERO = b"\t\n\r#0"
FIXED_TABS = 9  # behind CHROM … FORMAT
SHORTEST_RECORD = 15  # bytes of eight columns of one character
POSITION_DIGITS = 10
POWERS = 10 ** np.arange(POSITION_DIGITS - 1, -1, -1, dtype=np.int64)


@dataclass(frozen=True)
class Records:
    """`tabs[row, k]` is the tab behind column k (the first 7, or 9 with samples, lie in the line); `ends` is the byte
    behind the last column; `numbers` are the line numbers in the file, from 1."""

    text: Bytes
    starts: Indices
    ends: Indices
    tabs: Indices
    numbers: Indices

    def select(self, rows: Mask) -> "Records":
        if rows.all():
            return self
        return replace(
            self, starts=self.starts[rows], ends=self.ends[rows], tabs=self.tabs[rows], numbers=self.numbers[rows]
        )

    def quote(self, begin: int, end: int) -> str:
        return quote_bytes(self.text[begin : min(end, begin + 100)].tobytes())


def read_windows(text: Bytes, starts: Indices, width: int) -> Bytes:
    """(rows, width) bytes from each start on; one memory copy per row."""
    windows = np.ndarray((len(text) - width + 1,), f"V{width}", buffer=text, strides=(1,))
    return np.ascontiguousarray(windows[starts]).view(np.uint8).reshape(len(starts), width)


def split_records(chunk: bytes, first_number: int, samples: int, log: IssueLog) -> tuple[Records, int]:
    """The chunk's usable records and the number of its lines; what is no record is logged."""
    text = np.frombuffer(chunk + bytes(PADDING), np.uint8)
    feeds = np.flatnonzero(text[: len(chunk)] == LINE_FEED)
    starts = np.concatenate(([0], feeds[:-1] + 1))
    numbers = np.arange(first_number, first_number + len(feeds))
    returns = (text[np.maximum(feeds - 1, 0)] == RETURN) & (feeds > starts)
    if returns.any():
        log.add("crlf_line_ends", int(returns.sum()), line=int(numbers[returns.argmax()]))
    lines = Records(text, starts, feeds - returns, np.empty((len(feeds), 0), np.int64), numbers)
    lines = drop_foreign_lines(lines, log)
    records = replace(lines, tabs=find_fixed_tabs(text, lines.starts, lines.ends))
    return drop_unmatched(records, samples, log), len(feeds)


def drop_foreign_lines(lines: Records, log: IssueLog) -> Records:
    """Without header lines and lines too short for a record (before any array of columns is made for them)."""
    header = lines.text[lines.starts] == HASH
    if header.any():
        log.add("header_in_body", int(header.sum()), line=int(lines.numbers[header.argmax()]))
    short = (lines.ends - lines.starts < SHORTEST_RECORD) & ~header
    log_short(lines, short, log)
    return lines.select(~(header | short))


def log_short(lines: Records, short: Mask, log: IssueLog) -> None:
    if short.any():
        row = int(short.argmax())
        start = lines.quote(int(lines.starts[row]), int(lines.ends[row])) or "an empty line"
        log.add("missing_columns", int(short.sum()), line=int(lines.numbers[row]), start=start)


def find_tabs(text: Bytes, starts: Indices, ends: Indices) -> Indices:
    """Tabs in order: those near the starts of the lines when each line has nine there, otherwise all."""
    if len(starts) and (ends - starts).min() > PADDING:
        near = np.flatnonzero(read_windows(text, starts, PADDING) == TAB)
        rows = near // PADDING
        if np.bincount(rows, minlength=len(starts)).min() >= FIXED_TABS:
            return starts[rows] + near % PADDING
    return np.flatnonzero(text == TAB)


def find_fixed_tabs(text: Bytes, starts: Indices, ends: Indices) -> Indices:
    """(rows, 9) tabs; where a line has fewer, tabs of later lines or the end of the text stand in their place."""
    tabs = np.append(find_tabs(text, starts, ends), np.full(FIXED_TABS, len(text) - 1))
    fixed: Indices = tabs[np.searchsorted(tabs, starts)[:, None] + np.arange(FIXED_TABS)]
    return fixed


def drop_unmatched(records: Records, samples: int, log: IssueLog) -> Records:
    """Without lines that lack columns which every record has, or which the header has."""
    short = records.tabs[:, 6] >= records.ends
    log_short(records, short, log)
    unmatched = (records.tabs[:, 8 if samples else 6] >= records.ends) & ~short
    if unmatched.any():
        line = int(records.numbers[unmatched.argmax()])
        log.add("column_count", int(unmatched.sum()), line=line, expected=9 + samples)
    return records.select(~(short | unmatched))


def read_positions(records: Records, log: IssueLog) -> tuple[Records, Indices]:
    """The records whose POS is a number above 0, and these numbers; the others are logged."""
    begin, end = records.tabs[:, 0] + 1, records.tabs[:, 1]
    at = end[:, None] - np.arange(POSITION_DIGITS, 0, -1)
    inside = at >= begin[:, None]
    digits = records.text[np.maximum(at, 0)] - np.uint8(ZERO)
    digits[~inside] = 0
    positions = digits.astype(np.int64) @ POWERS
    length = end - begin
    valid = (digits <= 9).all(axis=1) & (length >= 1) & (length <= POSITION_DIGITS) & (positions > 0)
    if not valid.all():
        row = int(valid.argmin())
        position = records.quote(int(begin[row]), int(end[row])) or "empty"
        log.add("invalid_position", int((~valid).sum()), line=int(records.numbers[row]), position=position)
    return records.select(valid), positions[valid]
