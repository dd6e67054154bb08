"""From pieces of text to chunks of whole lines, in bounded memory."""

from collections.abc import Iterator

from microservices.preflight.issues import CUT_SHORT, IssueLog

CHUNK = 1 << 20  # bytes; enough to keep numpy busy, and the arrays stay in the processor's cache
LINE_LIMIT = 16 << 20  # bytes; 110,000 samples (the most any site takes) with 150 bytes each


def join_lines(pieces: Iterator[bytes], log: IssueLog) -> Iterator[bytes]:
    """Chunks of about CHUNK bytes that end with a line feed. The unfinished last line of a damaged file is left
    out; a line above LINE_LIMIT is logged and ends the reading."""
    held: list[bytes] = []
    fresh = tail = 0  # bytes held, bytes since the last line feed
    for piece in pieces:
        cut = piece.rfind(b"\n") + 1
        fresh += len(piece)
        tail = len(piece) - cut if cut else tail + len(piece)
        if tail > LINE_LIMIT:
            log.add("line_too_long", limit=LINE_LIMIT >> 20)
            break
        if cut and fresh >= CHUNK:
            yield b"".join((*held, piece[:cut]))
            held, fresh = [piece[cut:]], tail
        else:
            held.append(piece)
    yield from finish_lines(b"".join(held), log)


def finish_lines(rest: bytes, log: IssueLog) -> Iterator[bytes]:
    if log.has(*CUT_SHORT):
        rest = rest[: rest.rfind(b"\n") + 1]
    elif rest and not rest.endswith(b"\n"):
        rest += b"\n"
    if rest:
        yield rest
