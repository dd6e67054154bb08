"""The texts of quality control: messages of the job, and files among the results."""

import html
import re
from collections import Counter
from pathlib import Path

from sandbox.cloudgene.pipeline.chunks import Chunk
from sandbox.cloudgene.pipeline.sites import Judgement, Verdict

MAX_STRAND_FLIPS = 100

_ABOUT_PANEL = (
    Verdict.MATCH,
    Verdict.SWITCH,
    Verdict.FLIP,
    Verdict.FLIP_AND_SWITCH,
    Verdict.AMBIGUOUS,
)
_FILTERS = (
    Verdict.FILTERED,
    Verdict.INVALID,
    Verdict.MULTIALLELIC,
    Verdict.DUPLICATE,
    Verdict.NO_SNP,
    Verdict.MONOMORPHIC,
    Verdict.MISMATCH,
    Verdict.CALL_RATE,
)


def describe_statistics(judgement: Judgement) -> str:
    """The message that begins with `<b>Statistics:</b>`."""
    lines = [
        "<b>Statistics:</b>",
        f"Alternative allele frequency > 0.5 sites: {judgement.over_half:,}",
        f"Reference Overlap: {judgement.overlap:.2f} %",
        *(f"{verdict}: {judgement.counts[verdict]:,}" for verdict in _ABOUT_PANEL),
        "<b>Filtered sites:</b>",
        *(f"{verdict}: {judgement.counts[verdict]:,}" for verdict in _FILTERS),
    ]
    return "\n".join(lines)


def describe_remainder(judgement: Judgement, chunks: list[Chunk]) -> str:
    """What was lost and what is left."""
    lines = [
        f"Excluded sites in total: {len(judgement.excluded):,}",
        f"Remaining sites in total: {len(judgement.matched):,}",
    ]
    if judgement.excluded:
        lines.append("See snps-excluded.txt for details")
    if judgement.typed_only:
        lines += [f"Typed only sites: {len(judgement.typed_only):,}", "See typed-only.txt for details"]
    faults = Counter(chunk.fault for chunk in chunks if chunk.fault)
    for fault, count in faults.items():
        lines.append(f"<b>Warning:</b> {count} Chunk(s) excluded: {fault} (see chunks-excluded.txt for details).")
    if faults:
        lines.append(f"Remaining chunk(s): {len(chunks) - faults.total()}")
    return "\n".join(lines)


def find_failure(judgement: Judgement, chunks: list[Chunk]) -> str | None:
    """The reason why the whole job fails, if there is one."""
    if judgement.counts[Verdict.FLIP] > MAX_STRAND_FLIPS:
        words = f"More than {MAX_STRAND_FLIPS} obvious strand flips have been detected. Please check strand."
    elif all(chunk.fault for chunk in chunks):
        words = "No chunks passed the QC step."
    else:
        return None
    return f"<b>Error:</b> {words} Imputation cannot be started!"


def write_statistics(folder: Path, judgement: Judgement, chunks: list[Chunk]) -> None:
    """The tables; each is there only when it has rows."""
    excluded = [
        f"{record.name}\t{record.contig}\t{record.position}\t{record.ref}\t{','.join(record.alts)}\t{verdict}"
        for record, verdict in judgement.excluded
    ]
    lost = [
        f"{chunk.name}\t{chunk.sites}\t{chunk.overlap:.4f}\t{chunk.poor_samples}" for chunk in chunks if chunk.fault
    ]
    _write_table(folder / "snps-excluded.txt", "ID\tCHROM\tPOS\tREF\tALT\tINFO", excluded)
    _write_table(folder / "snps-typed-only.txt", "ID", [record.name for record in judgement.typed_only])
    _write_table(folder / "chunks-excluded.txt", "CHUNK\tSNPS\tREFERENCE_OVERLAP\tSAMPLES_LOW_CALL_RATE", lost)


def _write_table(path: Path, header: str, rows: list[str]) -> None:
    if rows:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")


def write_report(path: Path, messages: list[str]) -> None:
    """All messages as plain text."""
    path.parent.mkdir(parents=True, exist_ok=True)
    plain = [html.unescape(re.sub(r"<[^>]+>", "", text.replace("<br>", "\n"))) for text in messages]
    path.write_text("\n\n".join(plain) + "\n", encoding="utf-8")


def write_frequency_plot(path: Path, frequencies: list[tuple[float, float]], panel: str) -> None:
    """Allele frequencies of the upload against those of the panel: a good cohort lies on the diagonal."""
    dots = "".join(f'<circle cx="{x * 400:.1f}" cy="{400 - y * 400:.1f}" r="2"/>' for y, x in frequencies)
    title = f"Allele frequencies: {html.escape(panel)} (x) and upload (y)"
    path.write_text(
        f'<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>{title}</title><h1>{title}</h1>\n'
        '<svg viewBox="-5 -5 410 410" width="600" fill="steelblue" fill-opacity="0.4">'
        f'<path d="M0 400L400 0M0 0V400H400" fill="none" stroke="gray"/>{dots}</svg></html>\n',
        encoding="utf-8",
    )
