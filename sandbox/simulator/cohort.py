"""One simulation written as what a site has (panel), a researcher has (cohort) and nobody has (truth)."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sandbox.genome import Build, contig_length, contig_name
from sandbox.panel import PanelContig, PanelDescription, write_panel
from sandbox.simulator.ancestry import Ancestry, simulate_ancestry
from sandbox.simulator.chip import choose_typed_sites
from sandbox.vcf import Haplotypes, write_haplotypes

CHROMOSOME = "20"
OFFSET = (
    30_000_001  # base pair of the first simulated base: inside chromosome 20 of both builds, with room for 30 Mb behind
)
TYPED_SHARE = 0.15  # at least 85 % of the sites stay masked
AFRICAN_SHARE = 0.2
POPULATIONS = {"afr": "AFR", "all": "ALL", "eur": "EUR"}


class SimulationError(Exception):
    """The numbers asked for do not make a cohort."""


@dataclass(frozen=True)
class Simulation:
    """Where everything was written, and how many sites each part has."""

    panel: Path
    cohort: Path
    truth: Path
    panel_sites: int
    typed_sites: int
    truth_sites: int


def simulate_cohort(
    out: Path,
    *,
    seed: int,
    build: Build = "hg38",
    samples: int = 50,
    panel_haplotypes: int = 1000,
    length: int = 3_000_000,
    typed: int = 1500,
    panel_folder: Path | None = None,
) -> Simulation:
    """Writes `panel/`, `cohort.vcf.gz` and `truth.vcf.gz` into `out`; the same arguments give the same bytes.

    The targets are European, a fifth of the panel is African. Raises SimulationError.
    """
    _check_sizes(build, samples, panel_haplotypes, length)
    african = 2 * int(panel_haplotypes * AFRICAN_SHARE / 2)
    european = panel_haplotypes - african + 2 * samples
    ancestry = simulate_ancestry(european, african, length, seed)
    out.mkdir(parents=True, exist_ok=True)
    folder = panel_folder or out / "panel"
    contig = contig_name(build, CHROMOSOME)
    panel = _build_panel(ancestry, contig, 2 * samples, african)
    write_panel(folder, _describe_panel(build, panel), [panel])
    truth = _build_truth(ancestry, contig, samples)
    header = [f"##contig=<ID={contig},length={contig_length(build, CHROMOSOME)}>"]
    write_haplotypes(out / "truth.vcf.gz", truth, header)
    cohort = _mask_truth(truth, panel, typed, seed)
    write_haplotypes(out / "cohort.vcf.gz", cohort, header)
    counts = (len(panel.positions), len(cohort.positions), len(truth.positions))
    return Simulation(folder, out / "cohort.vcf.gz", out / "truth.vcf.gz", *counts)


def _check_sizes(build: Build, samples: int, panel_haplotypes: int, length: int) -> None:
    if samples < 1 or panel_haplotypes < 20 or panel_haplotypes % 2:
        raise SimulationError("A cohort needs at least one sample, a panel an even number of 20 haplotypes or more.")
    if not 10_000 <= length <= contig_length(build, CHROMOSOME) - OFFSET:
        raise SimulationError(f"{length} base pairs are too few, or do not fit on chromosome {CHROMOSOME}.")


def _build_panel(ancestry: Ancestry, contig: str, targets: int, african: int) -> PanelContig:
    """Sites seen at least twice: like real panels, which drop singletons because they cannot be phased."""
    alleles = ancestry.alleles[:, targets:]
    count = alleles.sum(axis=1, dtype=np.int64)
    kept = (count >= 2) & (count <= alleles.shape[1] - 2)
    groups = np.array(["eur"] * (alleles.shape[1] - african) + ["afr"] * african)
    bits = np.packbits(alleles[kept].view(np.uint8), axis=1)
    return PanelContig(contig, ancestry.positions[kept] + OFFSET, ancestry.ref[kept], ancestry.alt[kept], bits, groups)


def _describe_panel(build: Build, panel: PanelContig) -> PanelDescription:
    genome = {"hg19": "GRCh37/hg19", "hg38": "GRCh38/hg38"}[build]
    return PanelDescription(
        id=f"simulated-{build}",
        version="1.0.0",
        name=f"Simulated out-of-Africa ({genome})",
        build=build,
        populations=POPULATIONS,
        contigs=[panel.contig],
        haplotypes=len(panel.groups),
    )


def _build_truth(ancestry: Ancestry, contig: str, samples: int) -> Haplotypes:
    """Every site of the simulation, also those at which no target varies."""
    names = [f"S{number:04d}" for number in range(1, samples + 1)]
    alleles = ancestry.alleles[:, : 2 * samples]
    return Haplotypes(contig, names, ancestry.positions + OFFSET, ancestry.ref, ancestry.alt, alleles)


def _mask_truth(truth: Haplotypes, panel: PanelContig, typed: int, seed: int) -> Haplotypes:
    count = min(typed, int(len(panel.positions) * TYPED_SHARE))
    if count < 1:
        raise SimulationError("The simulated stretch is too short: it holds too few sites to type any.")
    chosen: NDArray[np.intp] = choose_typed_sites(panel.positions, panel.frequencies("eur"), count, seed)
    return truth.take(np.isin(truth.positions, panel.positions[chosen]))
