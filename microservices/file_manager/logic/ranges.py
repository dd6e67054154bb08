"""Which bytes of a file a request wants: RFC 9110, sections 13 (conditions) and 14 (ranges)."""

import re

from microservices.file_manager.errors import RangeNotSatisfiableError

_RANGE = re.compile(r"bytes=[ \t]*(\d{0,18})-(\d{0,18})[ \t]*", re.IGNORECASE)
_TAG = re.compile(r'(?:W/)?("[^"]*")')


def select_range(header: str | None, if_range: str | None, etag: str, size: int) -> tuple[int, int] | None:
    """(first byte, byte behind the last); None: all of it, as for whatever is not one well-formed range.

    Several ranges are answered with the whole file, which section 14.2 leaves to the server. Raises
    `RangeNotSatisfiableError` when the file ends before the range begins.
    """
    found = _RANGE.fullmatch(header or "")
    if found is None or (if_range is not None and if_range.strip() != etag):
        return None
    first, last = found.groups()
    if not first and not last:
        return None
    if not first:
        start, stop = max(size - int(last), 0), size
    else:
        start, stop = int(first), min(int(last) + 1, size) if last else size
        if last and int(last) < start:
            return None
    if start >= size or start >= stop:
        raise RangeNotSatisfiableError(
            f"The file has {size} bytes. Ask for bytes within it.", headers={"Content-Range": f"bytes */{size}"}
        )
    return start, stop


def is_unchanged(if_none_match: str | None, etag: str) -> bool:
    """The client's copy is current (weak comparison, section 13.1.2)."""
    if if_none_match is None:
        return False
    return if_none_match.strip() == "*" or etag in _TAG.findall(if_none_match)
