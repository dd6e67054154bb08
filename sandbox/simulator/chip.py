"""Which sites a genotyping array would type."""

import numpy as np
from numpy.typing import NDArray

_COMMON = 0.01  # arrays hold few rarer sites, as their probes would say little about most people


def choose_typed_sites(
    positions: NDArray[np.int64], frequencies: NDArray[np.float64], count: int, seed: int
) -> NDArray[np.intp]:
    """At most `count` rows, evenly spread, one for each stretch of equal length that holds a common site.

    Array makers tag blocks with sites that vary in many people: a site's chance grows with its minor allele
    frequency in the panel.
    """
    generator = np.random.default_rng(seed)
    minor = np.minimum(frequencies, 1 - frequencies)
    edges = np.linspace(positions[0], positions[-1] + 1, count + 1)
    stretch = np.searchsorted(edges, positions, side="right") - 1
    common = np.flatnonzero(minor >= _COMMON)
    starts = np.flatnonzero(np.diff(stretch[common], prepend=-1))
    blocks = np.split(common, starts[1:])
    chosen = [generator.choice(block, p=minor[block] / minor[block].sum()) for block in blocks if len(block)]
    return np.array(chosen, dtype=np.intp)
