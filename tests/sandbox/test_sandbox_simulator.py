"""The simulator: what it writes, and that a seed fixes it."""

from pathlib import Path
from typing import Any

import pysam
import pytest

from sandbox.panel import PanelError, read_contig, read_description
from sandbox.simulator import Simulation, simulate_cohort
from sandbox.simulator.cohort import SimulationError
from sandbox.vcf import read_haplotypes


def read_files(simulation: Simulation) -> list[bytes]:
    paths = [simulation.cohort, simulation.truth, *sorted(simulation.panel.iterdir())]
    return [path.read_bytes() for path in paths]


def test_same_seed_gives_the_same_bytes_and_another_seed_does_not(
    simulation: Simulation, small: dict[str, Any], tmp_path: Path
) -> None:
    again = simulate_cohort(tmp_path / "again", seed=11, **small)
    other = simulate_cohort(tmp_path / "other", seed=12, **small)
    assert read_files(again) == read_files(simulation)
    assert read_files(other) != read_files(simulation)


def test_most_sites_of_the_panel_are_masked_in_the_cohort(simulation: Simulation) -> None:
    assert 100 <= simulation.typed_sites <= 200
    assert simulation.typed_sites <= 0.15 * simulation.panel_sites


def test_typed_calls_are_those_of_the_truth(simulation: Simulation) -> None:
    cohort, truth = read_haplotypes(simulation.cohort), read_haplotypes(simulation.truth)
    rows = {key: row for row, key in enumerate(truth.keys)}
    assert cohort.samples == truth.samples
    assert all((cohort.alleles[n] == truth.alleles[rows[key]]).all() for n, key in enumerate(cohort.keys))


def test_cohort_is_a_phased_bgzip_vcf_with_contig_length(simulation: Simulation) -> None:
    assert read_haplotypes(simulation.cohort).phased
    with pysam.VariantFile(str(simulation.cohort)) as file:
        assert file.header.contigs["chr20"].length == 64_444_167
        assert all(0 < record.pos <= 64_444_167 for record in file)


def test_typed_sites_are_mostly_common(simulation: Simulation) -> None:
    panel = read_contig(simulation.panel, "chr20")
    typed = set(read_haplotypes(simulation.cohort).keys)
    frequencies = panel.frequencies("eur")
    minor = [min(p, 1 - p) for key, p in zip(panel.keys, frequencies, strict=True) if key in typed]
    assert min(minor) >= 0.01
    assert sum(value > 0.05 for value in minor) > 0.7 * len(minor)


def test_hg19_has_bare_contig_names(tmp_path: Path) -> None:
    simulation = simulate_cohort(tmp_path, seed=1, build="hg19", samples=2, panel_haplotypes=20, length=50_000)
    assert read_description(simulation.panel).contigs == ["20"]
    assert read_haplotypes(simulation.cohort).contig == "20"


@pytest.mark.parametrize("wrong", [{"samples": 0}, {"panel_haplotypes": 21}, {"length": 10**9}, {"length": 1}])
def test_impossible_sizes_are_refused(tmp_path: Path, wrong: dict[str, Any]) -> None:
    with pytest.raises(SimulationError):
        simulate_cohort(tmp_path, seed=1, **wrong)
    assert not list(tmp_path.iterdir())


def test_a_folder_without_all_its_contigs_is_not_yet_a_panel(simulation: Simulation, tmp_path: Path) -> None:
    (tmp_path / "panel.json").write_bytes((simulation.panel / "panel.json").read_bytes())
    with pytest.raises(PanelError, match="chr20"):
        read_description(tmp_path)
