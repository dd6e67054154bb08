"""The header: contig lengths and words about the build, the columns, the samples."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from microservices.preflight.issues import IssueLog
from microservices.preflight.report import quote_bytes

HEADER_LIMIT = 16 << 20  # bytes
CONTIG_LIMIT = 100_000  # contig lines kept; GRCh38 with all decoys and HLA has 3,366
SAMPLE_LIMIT = 1_000_000
MIN_SAMPLES = 20  # imputationserver2's default; Michigan and TOPMed keep it

COLUMNS = (b"#CHROM", b"POS", b"ID", b"REF", b"ALT", b"QUAL", b"FILTER", b"INFO")
CONTIG_ID = re.compile(rb"[<,]ID=([^,>]{1,200})")
CONTIG_LENGTH = re.compile(rb"[<,]length=(\d{1,12})(?=[,>])")
ASSEMBLY = re.compile(rb"[<,]assembly=([^,>]{1,500})")
REFERENCE_LINES = (b"##reference=", b"##assembly=")


@dataclass
class Header:
    """`lines` counts the lines up to the column line; `references` are the words that may name a build."""

    samples: int = 0
    lines: int = 0
    contig_lengths: dict[str, int] = field(default_factory=dict)
    references: set[bytes] = field(default_factory=set)


def read_header(chunks: Iterator[bytes], log: IssueLog) -> tuple[Header | None, bytes]:
    """The header and the rest of the chunk in which it ended; None when it has no usable column line."""
    header, size = Header(), 0
    for chunk in chunks:
        at = 0
        while at < len(chunk):
            end = chunk.index(b"\n", at)
            line = chunk[at:end].removesuffix(b"\r")
            header.lines += 1
            if not line.startswith(b"##"):
                return (header if read_columns(line, header, log) else None), chunk[end + 1 :]
            note_line(line, header)
            at = end + 1
        size += len(chunk)
        if size > HEADER_LIMIT:
            log.add("header_too_large", limit=HEADER_LIMIT >> 20)
            return None, b""
    if header.lines:
        log.add("column_line_missing", line=header.lines + 1, start="the end of the text")
    return None, b""


def note_line(line: bytes, header: Header) -> None:
    if line.startswith(b"##contig="):
        note_contig(line, header)
    elif line.startswith(REFERENCE_LINES) and len(header.references) < CONTIG_LIMIT:
        header.references.add(line[2:500])


def note_contig(line: bytes, header: Header) -> None:
    name, length, assembly = CONTIG_ID.search(line), CONTIG_LENGTH.search(line), ASSEMBLY.search(line)
    if name and length and len(header.contig_lengths) < CONTIG_LIMIT:
        header.contig_lengths[name[1].decode("latin-1")] = int(length[1])
    if assembly and len(header.references) < CONTIG_LIMIT:
        header.references.add(b"contig assembly=" + assembly[1])


def read_columns(line: bytes, header: Header, log: IssueLog) -> bool:
    if not line.startswith(b"#"):
        log.add("column_line_missing", line=header.lines, start=quote_bytes(line[:24]))
        return False
    header.samples = max(0, line.count(b"\t") - len(COLUMNS))
    if header.samples > SAMPLE_LIMIT:
        log.add("too_many_samples", header.samples, limit=f"{SAMPLE_LIMIT:,}")
        return False
    columns = line.split(b"\t")
    if tuple(columns[:8]) != COLUMNS or columns[8:9] not in ([], [b"FORMAT"]):
        log.add("column_line_invalid", line=header.lines, start=quote_bytes(line[:40]))
        return False
    judge_samples(columns[9:], log)
    return True


def judge_samples(names: list[bytes], log: IssueLog) -> None:
    if not names:
        log.add("no_samples")
    elif len(names) < MIN_SAMPLES:
        log.add("few_samples", len(names), minimum=MIN_SAMPLES)
    repeated = [name for name, count in Counter(names).items() if count > 1 and name]
    if repeated:
        log.add("duplicate_samples", len(repeated), name=quote_bytes(repeated[0]))
    if b"" in names:
        log.add("empty_sample_name", names.count(b""), column=names.index(b"") + 10)
