"""How well masked sites were imputed: `python -m sandbox.accuracy` compares dosages with the kept truth.

The measure is the squared Pearson correlation of dosage and true genotype, per site, averaged over the sites of
a bin of the panel's minor allele frequency.
"""

import argparse
import itertools
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import pysam
from numpy.typing import NDArray

from sandbox.panel import PanelError, read_contig, read_description
from sandbox.vcf import VcfError, open_vcf, read_samples

BIN_EDGES = (0.001, 0.005, 0.01, 0.05, 0.5)  # minor allele frequency; a bin leaves out its lower edge

SiteKey = tuple[str, int, str, str]
Values = NDArray[np.float64]
_Read = TypeVar("_Read")


@dataclass(frozen=True)
class Bin:
    """`r2` is the mean over `sites`, None without any; `skipped` sites do not vary in the truth."""

    maf_over: float
    maf_up_to: float
    r2: float | None
    sites: int
    skipped: int


def score(imputed: Path, truth: Path, typed: Path, panel: Path) -> list[Bin]:
    """Scores every site that the panel has and the cohort was not typed at.

    A masked site that is absent from the results counts with R² 0: a site that was given up was not imputed.
    Raises VcfError, PanelError, and ValueError when the files do not hold the same people.
    """
    frequencies = _read_panel_frequencies(panel)
    known = {key for key, _ in _read_sites(typed, lambda _: None)}
    masked = frequencies.keys() - known
    if read_samples(imputed) != read_samples(truth):
        raise ValueError("The results and the truth do not hold the same samples in the same order.")
    dosages = dict(_read_sites(imputed, _read_dosages, masked))
    if not dosages:
        raise ValueError("The results hold none of the masked sites of the panel.")
    scores = {
        key: _correlate(dosages.get(key), genotypes) for key, genotypes in _read_sites(truth, _read_genotypes, masked)
    }
    return _fill_bins({key: (frequencies[key], r2) for key, r2 in scores.items()})


def _correlate(dosages: Values | None, genotypes: Values) -> float | None:
    """None where the truth does not vary; 0 where the dosages do not."""
    if np.ptp(genotypes) == 0:
        return None
    if dosages is None or np.ptp(dosages) == 0:
        return 0.0
    return float(np.corrcoef(dosages, genotypes)[0, 1] ** 2)


def _fill_bins(scores: dict[SiteKey, tuple[float, float | None]]) -> list[Bin]:
    bins = []
    for low, high in itertools.pairwise(BIN_EDGES):
        inside = [r2 for maf, r2 in scores.values() if low < maf <= high]
        values = [r2 for r2 in inside if r2 is not None]
        mean = float(np.mean(values)) if values else None
        bins.append(Bin(low, high, mean, len(values), len(inside) - len(values)))
    return bins


def _read_panel_frequencies(panel: Path) -> dict[SiteKey, float]:
    minor: dict[SiteKey, float] = {}
    for name in read_description(panel).contigs:
        contig = read_contig(panel, name)
        frequencies = contig.frequencies("all")
        for (position, ref, alt), value in zip(contig.keys, frequencies.tolist(), strict=True):
            minor[name, position, ref.decode(), alt.decode()] = min(value, 1 - value)
    return minor


def _read_sites(
    path: Path, read: Callable[[pysam.VariantRecord], _Read], wanted: set[SiteKey] | None = None
) -> Iterator[tuple[SiteKey, _Read]]:
    with open_vcf(path) as file:
        for record in file:
            key = (record.chrom, record.pos, record.ref or "", ",".join(record.alts or ()))
            if wanted is None or key in wanted:
                yield key, read(record)


def _read_dosages(record: pysam.VariantRecord) -> Values:
    return np.array([sample["DS"] for sample in record.samples.values()], dtype=np.float64)


def _read_genotypes(record: pysam.VariantRecord) -> Values:
    return np.array([sum(sample["GT"]) for sample in record.samples.values()], dtype=np.float64)


def main() -> int:
    """Prints the bins as JSON; exit code 2 when the files do not fit together."""
    parser = argparse.ArgumentParser(prog="sandbox.accuracy", description=__doc__)
    for name in ("imputed", "truth", "typed", "panel"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    try:
        bins = score(**vars(parser.parse_args()))
    except (VcfError, PanelError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    measure = "mean squared Pearson correlation of dosage and true genotype per masked site of the panel"
    sys.stdout.write(json.dumps({"measure": measure, "bins": [asdict(row) for row in bins]}, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
