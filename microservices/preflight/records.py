"""What the records tell: chromosomes and their order, positions in order and within the builds, phase."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from microservices.preflight.columns import Indices, Mask, Records, read_positions, read_windows, split_records
from microservices.preflight.genome import LENGTHS, find_length, name_chromosome
from microservices.preflight.genotypes import PhaseTally, scan_genotypes
from microservices.preflight.header import Header
from microservices.preflight.issues import IssueLog
from microservices.preflight.report import Build, quote_bytes

NAME_WINDOW = 16  # bytes of a chromosome's name that are compared at once; longer names one by one
NAME_LIMIT = 200  # bytes of a name that are kept
WINDOW = 1_000_000  # base pairs; where sites lie is counted by windows of this size
MOST_WINDOWS = 300  # no human chromosome is longer
BLOCK_LIMIT = 4_000  # changes of chromosome; GRCh38 with all decoys and HLA has 3,366 contigs
UNBOUNDED = np.iinfo(np.int64).max


@dataclass
class Beyond:
    """Records beyond the end of their chromosome in a build, and the first of them."""

    count: int
    line: int
    chromosome: str
    position: int
    length: int


@dataclass
class Body:
    """`names` holds each chromosome's number of records and first line, in the file's order; `windows` counts the
    sites of those that are of the human genome."""

    variants: int = 0
    blocks: int = 0
    names: dict[bytes, tuple[int, int]] = field(default_factory=dict)
    windows: dict[bytes, Indices] = field(default_factory=dict)
    beyond: dict[Build, Beyond] = field(default_factory=dict)
    phases: PhaseTally = field(default_factory=PhaseTally)
    last_name: bytes | None = None
    last_position: int = 0


def scan_records(chunks: Iterator[bytes], header: Header, log: IssueLog) -> Body:
    body, number = Body(), header.lines + 1
    for chunk in chunks:
        records, lines = split_records(chunk, number, header.samples, log)
        number += lines
        body.variants += len(records.starts)
        placed, positions = read_positions(records, log)
        if len(positions):
            scan_order(placed, positions, body, log)
        if header.samples and len(records.starts):
            scan_genotypes(records, header.samples, body.phases, log)
        if body.blocks > BLOCK_LIMIT:
            log.add("too_many_blocks", limit=f"{BLOCK_LIMIT:,}", line=number - 1)
            break
    return body


def scan_order(records: Records, positions: Indices, body: Body, log: IssueLog) -> None:
    """Split the records into blocks of one chromosome, and look at order and ends within them."""
    firsts = find_name_changes(records)
    names = [read_name(records, row) for row in firsts]
    previous = np.concatenate(([body.last_position], positions[:-1]))
    previous[firsts[1 if names[0] == body.last_name else 0 :]] = 0
    log_unsorted(records, positions, previous, log)
    bounds = np.append(firsts, len(positions))
    for name, first, end in zip(names, bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        note_block(name, end - first, int(records.numbers[first]), body, log)
        note_places(name, positions[first:end], body)
    for build in LENGTHS:
        note_beyond(build, names, bounds, records, positions, body)
    body.last_position = int(positions[-1])


def find_name_changes(records: Records) -> Indices:
    """The rows in which another chromosome begins, the first row among them."""
    length = records.tabs[:, 0] - records.starts
    names = read_windows(records.text, records.starts, NAME_WINDOW)
    names[np.arange(NAME_WINDOW) >= length[:, None]] = 0
    halves = names.view("<u8")
    change = (halves[1:] != halves[:-1]).any(axis=1) | (length[1:] != length[:-1])
    for row in np.flatnonzero(~change & (length[1:] > NAME_WINDOW)).tolist():
        change[row] = read_name(records, row) != read_name(records, row + 1)
    return np.concatenate(([0], np.flatnonzero(change) + 1))


def read_name(records: Records, row: int) -> bytes:
    start = int(records.starts[row])
    return records.text[start : min(int(records.tabs[row, 0]), start + NAME_LIMIT)].tobytes()


def log_unsorted(records: Records, positions: Indices, previous: Indices, log: IssueLog) -> None:
    backwards = positions < previous
    if backwards.any():
        row = int(backwards.argmax())
        log.add(
            "unsorted",
            int(backwards.sum()),
            line=int(records.numbers[row]),
            chromosome=quote_bytes(read_name(records, row)),
            position=int(positions[row]),
            previous=int(previous[row]),
        )


def note_block(name: bytes, size: int, line: int, body: Body, log: IssueLog) -> None:
    count, first_line = body.names.get(name, (0, line))
    if name != body.last_name:
        body.blocks += 1
        if count:
            log.add("chromosome_blocks", chromosome=quote_bytes(name), line=line)
    body.names[name] = (count + size, first_line)
    body.last_name = name


def note_places(name: bytes, positions: Indices, body: Body) -> None:
    """Count the sites of a block by window."""
    if name not in body.windows:
        if name_chromosome(name.decode("latin-1")) is None:
            return
        body.windows[name] = np.zeros(MOST_WINDOWS, np.int64)
    numbers = np.clip((positions - 1) // WINDOW, 0, MOST_WINDOWS - 1)
    body.windows[name] += np.bincount(numbers, minlength=MOST_WINDOWS)


def note_beyond(
    build: Build, names: list[bytes], bounds: Indices, records: Records, positions: Indices, body: Body
) -> None:
    chromosomes = [name_chromosome(name.decode("latin-1")) for name in names]
    lengths = [find_length(build, chromosome) if chromosome else UNBOUNDED for chromosome in chromosomes]
    limits = np.array(lengths, np.int64)
    if not (np.maximum.reduceat(positions, bounds[:-1]) > limits).any():
        return
    per_row = np.repeat(limits, np.diff(bounds))
    outside: Mask = positions > per_row
    row = int(outside.argmax())
    line, name, position = int(records.numbers[row]), quote_bytes(read_name(records, row)), int(positions[row])
    beyond = body.beyond.setdefault(build, Beyond(0, line, name, position, int(per_row[row])))
    beyond.count += int(outside.sum())
