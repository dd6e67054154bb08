"""Quality control of chunks: stretches that hold too little to be imputed."""

from dataclasses import dataclass

import numpy as np

from sandbox.engine.window import chunk_starts
from sandbox.genome import bare_chromosome
from sandbox.vcf import MISSING, Record

MIN_OVERLAP = 0.5
MIN_SITES = 3
MIN_SAMPLE_CALL_RATE = 0.5


@dataclass(frozen=True)
class Chunk:
    """`overlap` is the share of its sites that the panel has; `poor_samples` have too few calls in it."""

    contig: str
    start: int
    end: int
    sites: int
    overlap: float
    poor_samples: int

    @property
    def name(self) -> str:
        """As in the reports."""
        return f"chunk_{bare_chromosome(self.contig)}_{self.start:010d}_{self.end:010d}"

    @property
    def fault(self) -> str | None:
        """Why the chunk is lost, if it is."""
        if self.overlap < MIN_OVERLAP:
            return "reference overlap < 50.0 %"
        if self.sites < MIN_SITES:
            return f"< {MIN_SITES} SNPs"
        return "at least one sample has a call rate < 50.0 %" if self.poor_samples else None


def cut_chunks(matched: list[Record], typed_only: list[Record], size: int) -> list[Chunk]:
    """Every stretch of `size` base pairs of one contig that holds a site."""
    both = [*matched, *typed_only]
    if not both:
        return []
    positions = np.array([record.position for record in both], dtype=np.int64)
    shared = np.arange(len(both)) < len(matched)
    called = np.array([record.alleles for record in both], dtype=np.int8) != MISSING
    chunks = []
    for start in chunk_starts(positions, size):
        inside = (positions >= start) & (positions < start + size)
        poor = int((called[inside].mean(axis=0)[0::2] < MIN_SAMPLE_CALL_RATE).sum())
        share = float(shared[inside].mean())
        chunks.append(Chunk(both[0].contig, start, start + size - 1, int(inside.sum()), share, poor))
    return chunks


def lose_chunks(chunks: list[Chunk], fault: str) -> list[Chunk]:
    """What is left, without a word, by a pipeline that loses some on purpose: the middle half of each contig, or all of
    the last contig."""
    if fault == "lose_chromosome":
        return [chunk for chunk in chunks if chunk.contig != chunks[-1].contig]
    if fault != "lose_chunk":
        return chunks
    kept: list[Chunk] = []
    for contig in dict.fromkeys(chunk.contig for chunk in chunks):
        own = [chunk for chunk in chunks if chunk.contig == contig]
        quarter = (len(own) + 2) // 4
        kept += own[:quarter] + own[len(own) - quarter :]
    return kept
