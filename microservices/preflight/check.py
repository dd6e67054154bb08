"""The check of one file, from its bytes to the report."""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import numpy as np

from microservices.preflight.build import judge_build
from microservices.preflight.columns import Indices
from microservices.preflight.container import read_text
from microservices.preflight.contigs import judge_contigs
from microservices.preflight.genotypes import PhaseTally
from microservices.preflight.header import Header, read_header
from microservices.preflight.issues import CUT_SHORT, IssueLog
from microservices.preflight.lines import join_lines
from microservices.preflight.records import Body, scan_records
from microservices.preflight.report import QualityReport, judge_issues, quote_bytes

# Bytes; more than all arrays of a chunk together.
WORKING_SET = 16 << 20


def check_vcf(path: Path) -> QualityReport:
    """Read the whole file once and tell what a site would object to.

    Whatever the bytes, the answer is a report; OSError is raised only when the file cannot be read from disk.
    Memory stays below about 100 MB for ordinary files, whatever their length.
    """
    keep_freed_memory()
    log = IssueLog()
    with path.open("rb", buffering=1 << 20) as file:
        chunks = join_lines(read_text(file, log), log)
        header, rest = read_header(chunks, log)
        if header is None:
            return write_report(Header(), Body(), log)
        body = scan_records(put_back(rest, chunks), header, log)
    return write_report(header, body, log)


def keep_freed_memory() -> None:
    """Let glibc reuse the arrays' memory instead of returning it to the kernel after each: it raises its threshold
    to the largest mapping freed. Without this, page faults take a third of the time of a check; the array is never
    touched, so it costs no memory itself."""
    np.empty(WORKING_SET, np.uint8)


def put_back(rest: bytes, chunks: Iterator[bytes]) -> Iterator[bytes]:
    return chain([rest], chunks) if rest else chunks


def write_report(header: Header, body: Body, log: IssueLog) -> QualityReport:
    if header.lines and not body.variants and not log.has(*CUT_SHORT, "missing_columns", "column_count"):
        log.add("no_records")
    has_chr_prefix = judge_contigs(body, log)
    build, evidence = judge_build(header, body, has_chr_prefix, log) if header.lines else (None, [])
    phased = judge_phases(body.phases, log) if header.samples and body.variants else None
    issues = log.list_issues()
    return QualityReport(
        verdict=judge_issues(issues),
        build=build,
        build_evidence=evidence,
        chromosomes=[quote_bytes(name) for name in body.names],
        samples=header.samples,
        variants=body.variants,
        phased=phased,
        has_chr_prefix=has_chr_prefix,
        sites_per_mb={quote_bytes(name): list_counts(counts) for name, counts in body.windows.items()},
        issues=issues,
    )


def list_counts(windows: Indices) -> list[int]:
    """Up to the last window that has any."""
    filled = np.flatnonzero(windows)
    counts: list[int] = windows[: int(filled[-1]) + 1].tolist() if len(filled) else []
    return counts


def judge_phases(phases: PhaseTally, log: IssueLog) -> bool | None:
    """True: all phased, False: none, None: mixed, or no call that tells."""
    phased, unphased = phases.counts["phased"], phases.counts["unphased"]
    missing = phases.counts["missing_unphased"]
    if phased and unphased:
        log.add("mixed_phasing", unphased, phased=f"{phased:,}", line=phases.lines["unphased"])
        return None
    if phased and missing:
        log.add("missing_unphased", missing, line=phases.lines["missing_unphased"])
    if not phased and not unphased:
        log.add("phasing_unknown")
        return None
    return phased > 0
