"""A coalescent simulation of two populations that share an African origin.

The demography is the two-population model that Tennessen et al. (Science 337, 2012) fitted to exomes of African
and European Americans: an ancient expansion, the bottleneck out of Africa, and growth that became much faster
some 200 generations ago. Its sizes were inferred with 2.36e-8 mutations per base and generation, so that rate
belongs to it: together they give the diversity that is seen.
"""

from dataclasses import dataclass

import msprime  # type: ignore[import-untyped]
import numpy as np
from numpy.typing import NDArray

RECOMBINATION_RATE = 1e-8  # per base and generation
MUTATION_RATE = 2.36e-8  # per base and generation

_FAST_GROWTH = 204.6  # generations ago, like all times below
_SECOND_BOTTLENECK = 920
_OUT_OF_AFRICA = 2040
_ANCIENT_EXPANSION = 5920


@dataclass(frozen=True)
class Ancestry:
    """SNPs with two alleles: `alleles` is sites x haplotypes, those of Europe before those of Africa."""

    positions: NDArray[np.int64]
    ref: NDArray[np.bytes_]
    alt: NDArray[np.bytes_]
    alleles: NDArray[np.int8]


def describe_demography() -> msprime.Demography:
    """Sizes in diploid people, growth per generation; time runs backwards."""
    model = msprime.Demography()
    model.add_population(name="EUR", initial_size=512_000, growth_rate=0.0195)
    model.add_population(name="AFR", initial_size=424_000, growth_rate=0.0166)
    model.add_population(name="OOA", initial_size=1_861)
    model.add_population(name="ANC", initial_size=14_474)
    model.set_symmetric_migration_rate(["EUR", "AFR"], 2.5e-5)
    model.add_population_parameters_change(_FAST_GROWTH, population="EUR", initial_size=9_279, growth_rate=0.00307)
    model.add_population_parameters_change(_FAST_GROWTH, population="AFR", initial_size=14_474, growth_rate=0)
    model.add_population_split(_SECOND_BOTTLENECK, derived=["EUR"], ancestral="OOA")
    model.add_symmetric_migration_rate_change(_SECOND_BOTTLENECK, ["AFR", "OOA"], 1.5e-4)
    model.add_population_split(_OUT_OF_AFRICA, derived=["AFR", "OOA"], ancestral="ANC")
    model.add_population_parameters_change(_ANCIENT_EXPANSION, population="ANC", initial_size=7_310)
    model.sort_events()
    return model


def simulate_ancestry(european: int, african: int, length: int, seed: int) -> Ancestry:
    """`european` and `african` haplotypes (even numbers) over `length` base pairs."""
    trees = msprime.sim_ancestry(
        samples={"EUR": european // 2, "AFR": african // 2},
        demography=describe_demography(),
        sequence_length=length,
        recombination_rate=RECOMBINATION_RATE,
        random_seed=seed,
    )
    trees = msprime.sim_mutations(trees, rate=MUTATION_RATE, model=msprime.JC69(), random_seed=seed)
    return _keep_biallelic(trees)


def _keep_biallelic(trees: object) -> Ancestry:
    positions, ref, alt, rows = [], [], [], []
    for variant in trees.variants():  # type: ignore[attr-defined]
        alleles = [allele for allele in variant.alleles if allele]
        if len(alleles) == 2:
            positions.append(int(variant.site.position))
            ref.append(alleles[0])
            alt.append(alleles[1])
            rows.append(variant.genotypes.astype(np.int8))
    return Ancestry(
        positions=np.array(positions, dtype=np.int64),
        ref=np.array(ref, dtype="S1"),
        alt=np.array(alt, dtype="S1"),
        alleles=np.array(rows, dtype=np.int8),
    )
