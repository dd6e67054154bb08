"""The piece of a chromosome that is imputed at once, and what comes out of it."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sandbox.panel import PanelContig
from sandbox.vcf import Haplotypes

BASES_PER_MORGAN = 1e8  # a uniform map of 1 cM per Mb, as the simulator recombines


class EngineError(Exception):
    """The imputation cannot be done; the text is for the owner of the data."""


@dataclass(frozen=True)
class Window:
    """Panel and typed sites from `start` to `end` (base pairs, inclusive) with flanks on both sides.

    `typed` are the rows of `panel` at which `target` holds calls, in the same order as its sites.
    """

    start: int
    end: int
    panel: PanelContig
    target: Haplotypes
    typed: NDArray[np.intp]

    @property
    def core(self) -> slice:
        """The rows of the panel without the flanks."""
        first, last = np.searchsorted(self.panel.positions, [self.start, self.end + 1])
        return slice(int(first), int(last))


@dataclass(frozen=True)
class Dosages:
    """Expected alternative alleles (0 to 1) of every haplotype, sites x haplotypes.

    `alleles` covers all panel rows of the window; `left_out`, where an engine gives it, covers the typed sites
    as they would be imputed from all others.
    """

    alleles: NDArray[np.float64]
    left_out: NDArray[np.float64] | None = None


def match_sites(panel: PanelContig, target: Haplotypes) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows of the panel and rows of the target that are the same site with the same alleles, in order."""
    rows = {key: row for row, key in enumerate(panel.keys)}
    pairs = [(rows[key], row) for row, key in enumerate(target.keys) if key in rows]
    pairs.sort()
    matched = np.array(pairs, dtype=np.intp).reshape(-1, 2)
    return matched[:, 0], matched[:, 1]


def chunk_starts(positions: NDArray[np.int64], size: int) -> list[int]:
    """First base of each chunk of `size` base pairs that holds a position; chunks count from base 1."""
    return [int(number) * size + 1 for number in np.unique((positions - 1) // size)]


def cut_windows(panel: PanelContig, target: Haplotypes, starts: list[int], size: int, overlap: int) -> Iterator[Window]:
    """The windows that begin at `starts`; a window without typed sites is left out."""
    for start in starts:
        end = start + size - 1
        part = panel.between(start - overlap, end + overlap)
        typed, rows = match_sites(part, target)
        if len(typed):
            yield Window(start, end, part, target.take(rows), typed)
