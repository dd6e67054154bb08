"""Imputation by the Li and Stephens copying model: full posteriors from `lshmm` at the typed sites, carried to
the untyped ones between them by linear interpolation in genetic distance (as IMPUTE and Beagle do)."""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np
from lshmm.fb_haploid import backwards_ls_hap, forwards_ls_hap  # type: ignore[import-untyped]
from numpy.typing import NDArray

from sandbox.engine.window import BASES_PER_MORGAN, Dosages, Window
from sandbox.panel import PanelContig

EFFECTIVE_SIZE = 20_000  # diploid people; the exact value hardly matters for dense chips
ERROR_RATE = 1e-4  # that a copied allele differs: mutation since the common ancestor, or a wrong call
QUERIES_PER_TASK = 25  # target haplotypes handed to a process at once
SHARED_STATES = 50_000_000  # typed sites x target x panel haplotypes, from which on processes save more than they cost


@dataclass(frozen=True)
class CopyingModel:
    """What all queries of a window share: t typed sites, n panel haplotypes, s panel sites."""

    panel: PanelContig
    typed: NDArray[np.intp]

    @property
    def switching(self) -> NDArray[np.float64]:
        """Probability of a switch before each typed site, by Li and Stephens (2003): 1 - exp(-4 N d / n)."""
        morgans = np.diff(self.panel.positions[self.typed], prepend=self.panel.positions[self.typed[0]])
        rate = 4 * EFFECTIVE_SIZE * morgans / BASES_PER_MORGAN / len(self.panel.groups)
        return -np.expm1(-rate)


class _Spread:
    """Carries posteriors at typed sites to all sites by summing over the carriers of the rarer allele only:
    most sites are rare, so this is a small part of a dense product."""

    def __init__(self, model: CopyingModel, alleles: NDArray[np.int8]) -> None:
        positions, typed = model.panel.positions, model.typed
        after = np.clip(np.searchsorted(positions[typed], positions, side="right"), 1, max(len(typed) - 1, 1))
        self.left, self.right = after - 1, np.minimum(after, len(typed) - 1)
        span = np.maximum(positions[typed[self.right]] - positions[typed[self.left]], 1)
        self.weight = np.clip((positions - positions[typed[self.left]]) / span, 0.0, 1.0)
        self.flipped = 2 * alleles.sum(axis=1, dtype=np.int64) > alleles.shape[1]
        self.sites, self.carriers = np.nonzero(alleles != self.flipped[:, None])

    def __call__(self, posterior: NDArray[np.float64]) -> NDArray[np.float64]:
        weight = self.weight[self.sites]
        shares = (1 - weight) * posterior[self.left[self.sites], self.carriers]
        shares += weight * posterior[self.right[self.sites], self.carriers]
        rarer = np.bincount(self.sites, weights=shares, minlength=len(self.flipped))
        return np.clip(np.where(self.flipped, 1 - rarer, rarer), 0.0, 1.0)


def impute_haplotypes(model: CopyingModel, queries: NDArray[np.int8]) -> Dosages:
    """`queries` is typed sites x haplotypes with -1 for a missing call."""
    alleles = model.panel.alleles
    copied = np.ascontiguousarray(alleles[model.typed])
    spread = _Spread(model, alleles)
    switching = model.switching
    imputed, left_out = [], []
    for query in queries.T:
        posterior = _copying_posterior(copied, query, switching)
        imputed.append(spread(posterior))
        left_out.append(_leave_one_out(posterior, copied, query))
    return Dosages(np.stack(imputed, axis=1), np.stack(left_out, axis=1))


def _copying_posterior(
    copied: NDArray[np.int8], query: NDArray[np.int8], switching: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Probability that the query copies each panel haplotype at each typed site; rows sum to 1.

    Past the checks of `lshmm.forwards`, which look at each site in Python and take ten times as long as the model.
    What they also do, to rule out errors where panel and query have one allele only, scales all haplotypes alike.
    """
    sites, haplotypes = copied.shape
    errors = np.tile([ERROR_RATE, 1 - ERROR_RATE], (sites, 1))  # of a call that differs, of one that agrees
    row = np.ascontiguousarray(query[None, :])
    forward, scaling, _ = forwards_ls_hap(haplotypes, sites, copied, row, errors, switching, True)
    backward = backwards_ls_hap(haplotypes, sites, copied, row, errors, scaling, switching)
    posterior: NDArray[np.float64] = forward * backward
    posterior /= posterior.sum(axis=1, keepdims=True)
    return posterior


def _leave_one_out(
    posterior: NDArray[np.float64], copied: NDArray[np.int8], query: NDArray[np.int8]
) -> NDArray[np.float64]:
    """The dosage at each typed site without its own call: the posterior divided by that call's likelihood."""
    called = query[:, None]
    likelihood = np.where(copied == called, 1 - ERROR_RATE, ERROR_RATE)
    others = posterior / np.where(called < 0, 1.0, likelihood)
    dosage: NDArray[np.float64] = (others * copied).sum(axis=1) / others.sum(axis=1)
    return dosage


def impute_windows(windows: Iterator[Window], processes: int) -> Iterator[tuple[Window, Dosages]]:
    """Windows in order, the queries of each shared out to `processes` when that is worth it."""
    with ProcessPoolExecutor(processes) as pool:  # starts them with the first task
        for window in windows:
            model = CopyingModel(window.panel, window.typed)
            cuts = range(QUERIES_PER_TASK, window.target.alleles.shape[1], QUERIES_PER_TASK)
            batches = np.split(window.target.alleles, list(cuts), axis=1)
            shared = processes > 1 and window.target.alleles.size * len(window.panel.groups) > SHARED_STATES
            parts = list((pool.map if shared else map)(impute_haplotypes, [model] * len(batches), batches))
            left_out = [part.left_out for part in parts if part.left_out is not None]
            yield window, Dosages(np.hstack([part.alleles for part in parts]), np.hstack(left_out))
